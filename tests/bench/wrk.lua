-- Every request is the next person's, for the next path; at the end one line of JSON.
-- Arguments: method, body, paths, people, and how many answers that are none of 200, 204 and 304 to keep (0: do not look).
local paths, people, at = {}, {}, 0
local threads = {}
kept, room = "", 0
function setup(thread) threads[#threads + 1] = thread end
function init(args)
  wrk.method = args[1]
  if args[2] ~= "" then wrk.body = args[2]; wrk.headers["Content-Type"] = "application/json" end
  for line in io.lines(args[3]) do paths[#paths + 1] = line end
  for line in io.lines(args[4]) do
    local cookie, token = line:match("([^\t]*)\t([^\t]*)")
    people[#people + 1] = { cookie, token }
  end
  room = tonumber(args[5])
  if room > 0 then response = keep end
end
function keep(status, headers, body)
  if status == 200 or status == 204 or status == 304 or room == 0 then return end
  room = room - 1
  local said = status .. " " .. (headers["X-Request-Id"] or headers["x-request-id"] or "") .. " " .. body:sub(1, 300)
  kept = kept .. said:gsub("[%c\"\\]", function(c) return string.format("\\u%04x", c:byte()) end) .. "\n"
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
  local said = ""
  for _, thread in ipairs(threads) do said = said .. thread:get("kept") end
  said = said:gsub("\n", "\", \""):gsub(", \"$", "")
  if said ~= "" then said = "\"" .. said end
  io.write(string.format('\n{"requests": %d, "us": %d, "p95_us": %d, "p99_us": %d, "most_us": %d, "wrong": %d, "kinds": ' ..
    '{"status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}, "said": [%s]}\n', summary.requests, summary.duration,
    latency:percentile(95), latency:percentile(99), latency.max, e.status + e.connect + e.read + e.write + e.timeout,
    e.status, e.connect, e.read, e.write, e.timeout, said))
end
