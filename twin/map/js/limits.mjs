// Where the server gives no more ground: said in its own words, which name whom to ask. Nothing is asked again by itself.

/** Give what the server says where it refuses more ground, null where a request failed for another reason. */
export async function refusalOf(view, error) {
  if (error?.status !== 403 || !error.body) return null;
  try {
    const problem = JSON.parse(await error.body.text());
    if (problem.code !== "area_limit") return null;
    return view.word("language").startsWith("en") ? problem.en : problem.zh;
  } catch {
    return null; // no problem document: an ordinary failure
  }
}

/** Keep what was refused; `again` asks once more for the tiles of one source, when a person wants that. */
export function makeLimits(view, again) {
  const stopped = new Set();
  return {
    isStopped: () => stopped.size > 0,
    stop(id, said) {
      const isFirst = !stopped.size;
      stopped.add(id);
      if (!isFirst) return;
      view.records.errors.push({ source: id, status: 403, message: said });
      view.emit({ error: { source: id, status: 403, message: said, t: Date.now() } });
      view.chrome.say("limit", said, () => {
        const ids = [...stopped];
        stopped.clear();
        view.chrome.unsay("limit");
        ids.forEach(again);
      });
    },
  };
}
