-- Every request is the next person's, for the next path; at the end one line of JSON. Arguments: method, body, paths, people.
local paths, people, at = {}, {}, 0
function init(args)
  wrk.method = args[1]
  if args[2] ~= "" then wrk.body = args[2]; wrk.headers["Content-Type"] = "application/json" end
  for line in io.lines(args[3]) do paths[#paths + 1] = line end
  for line in io.lines(args[4]) do
    local cookie, token = line:match("([^\t]*)\t([^\t]*)")
    people[#people + 1] = { cookie, token }
  end
end
function request()
  at = at + 1
  local one = people[at % #people + 1]
  if one then wrk.headers["Cookie"] = one[1]; wrk.headers["X-CSRF-Token"] = one[2] end
  wrk.headers["Accept-Encoding"] = "gzip"
  return wrk.format(nil, paths[at % #paths + 1])
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\n{"requests": %d, "us": %d, "p95_us": %d, "p99_us": %d, "wrong": %d}\n', summary.requests, summary.duration,
    latency:percentile(95), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
