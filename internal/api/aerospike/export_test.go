package aerospike

// How the versions and the token endpoint write errors.
var (
	WriteError      = writeError
	WriteProblem    = writeProblem
	WriteTokenError = writeTokenError
)
