-- Asks about keys at random: wrk … -s verify.lua URL -- SECRETS [TOKEN]
-- SECRETS is a file with a secret a line, TOKEN one with the credential of who asks. Each
-- key is in the body and in a header, where nginx looks; every server gets the same bytes.
local requests = {}

function init(args)
	local token = "nobody"
	if args[2] then token = io.open(args[2]):read("*l") end
	for secret in io.lines(args[1]) do
		requests[#requests + 1] = wrk.format("POST", "/v1/verify", {
			["Authorization"] = "Bearer " .. token,
			["Content-Type"] = "application/json",
			["X-Api-Key"] = secret,
		}, '{"key":"' .. secret .. '"}')
	end
	math.randomseed(os.time())
end

function request()
	return requests[math.random(#requests)]
end
