"""Ask a real tenant how Microsoft's service behaves where nothing documents it.

The probe is never deployed. It shares no code with the app or the rehearsal. The rehearsal only reads its result file.
"""
