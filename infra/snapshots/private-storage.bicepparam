using '../main.bicep'

param network = 'private-storage'
