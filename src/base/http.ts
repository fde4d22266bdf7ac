// node:http and node:https without their faces as ES modules: to make one, Node reads every lazy export and with them loads all of fetch,
// which is some 50 ms of each start.
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
