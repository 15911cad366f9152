// Takes the sound out of what hls.js has loaded, in memory: the recorded files stay as they are.
// Some files of a camera have sound, some have none, and a microphone may fall silent: a browser that is given
// both tracks stops at each of these places. The pictures come first.

function* boxes(view, from, until) {
  for (let at = from; at + 8 <= until; ) {
    const length = view.getUint32(at);
    if (length < 8 || at + length > until) return; // cut off, or longer than four gigabytes
    const name = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)));
    yield { at, name, content: at + 8, until: at + length };
    at += length;
  }
}

function children(view, box, name) {
  return [...boxes(view, box.content, box.until)].filter((child) => child.name === name);
}

// Every box keeps its length, so nothing else moves.
function pass(view, box) {
  [..."free"].forEach((letter, offset) => view.setUint8(box.at + 4 + offset, letter.charCodeAt(0)));
}

function isSound(view, trak) {
  const [handler] = children(view, trak, "mdia").flatMap((mdia) => children(view, mdia, "hdlr"));
  return handler !== undefined && view.getUint32(handler.content + 8) === 0x736f756e; // "soun"
}

function trackOf(view, trak) {
  const [header] = children(view, trak, "tkhd");
  return view.getUint32(header.content + (view.getUint8(header.content) === 1 ? 20 : 12));
}

// Returns the tracks of sound that a file's description names.
function silenceDescription(view, moov) {
  const sounds = children(view, moov, "trak").filter((trak) => isSound(view, trak));
  const tracks = new Set(sounds.map((trak) => trackOf(view, trak)));
  const defaults = children(view, moov, "mvex").flatMap((mvex) => children(view, mvex, "trex"));
  for (const box of [...sounds, ...defaults.filter((trex) => tracks.has(view.getUint32(trex.content + 4)))]) {
    pass(view, box);
  }
  return tracks;
}

function silenceFragment(view, moof, tracks) {
  for (const traf of children(view, moof, "traf")) {
    const [header] = children(view, traf, "tfhd");
    if (header && tracks.has(view.getUint32(header.content + 4))) pass(view, traf);
  }
}

// A loader for hls.js. All pieces of one file have its address; the first of them describes the others.
export function withoutSound(Loader) {
  const tracksOf = new Map();
  return class extends Loader {
    load(context, config, callbacks) {
      const onSuccess = (response, ...rest) => {
        const view = new DataView(response.data);
        for (const box of boxes(view, 0, view.byteLength)) {
          if (box.name === "moov") tracksOf.set(context.url, silenceDescription(view, box));
          if (box.name === "moof") silenceFragment(view, box, tracksOf.get(context.url) ?? new Set());
        }
        callbacks.onSuccess(response, ...rest);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}
