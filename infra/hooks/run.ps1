# Starts a hook of azd with the Python that is there: run.ps1 HOOK. Its twin for other systems is run.sh.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '../..')
foreach ($name in 'python', 'python3') {
    $python = Get-Command $name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($python) {
        & $python.Source -c 'import sys; sys.exit(sys.version_info < (3, 11))'
        if ($LASTEXITCODE -eq 0) {
            & $python.Source -m infra.hooks @args
            exit $LASTEXITCODE
        }
    }
}
[Console]::Error.WriteLine('hook: Python 3.11 or newer is needed on this machine')
exit 2
