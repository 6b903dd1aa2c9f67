// What the seed article builds in a browser tab: a Realtime call with the tab's microphone and an audio element, both
// voices mixed by Web Audio, the mix published with sora-js-sdk, and every event of the service listed on the page.
import Sora from "./sora.js";

const log = document.getElementById("log");
const MOST_LISTED = 40;
const since = (start) => performance.now() - start;

// Opens the call; `happened` is told of every event of the service.
async function call({ base_url, secret }, microphone, happened) {
  const peer = new RTCPeerConnection();
  const audio = document.createElement("audio");
  audio.autoplay = true;
  const voice = new Promise((heard) => {
    peer.ontrack = ({ streams }) => {
      audio.srcObject = streams[0];
      heard(streams[0]);
    };
  });
  peer.addTrack(microphone.getAudioTracks()[0], microphone);
  const channel = peer.createDataChannel("oai-events");
  channel.onmessage = ({ data }) => happened(JSON.parse(data));
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(`${base_url}/realtime/calls`, {
    method: "POST",
    body: peer.localDescription.sdp,
    headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/sdp" },
  });
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return voice;
}

// Both voices in one stream.
function mixed(...streams) {
  const context = new AudioContext();
  const mix = context.createMediaStreamDestination();
  for (const stream of streams) context.createMediaStreamSource(stream).connect(mix);
  return mix.stream;
}

function list(event) {
  const item = document.createElement("li");
  item.textContent = `${new Date().toLocaleTimeString()} ${event.type} ${event.delta ?? event.transcript ?? ""}`;
  log.prepend(item);
  if (log.childElementCount > MOST_LISTED) log.lastElementChild.remove(); // its layout is not what is compared
}

// Asks for what is needed, begins, and resolves once the service listens and the mix is on air, with when that was.
async function begin() {
  const start = performance.now();
  const marks = {};
  const grant = await (await fetch("grant")).json();
  marks.granted = since(start);
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  marks.microphone = since(start);
  let listening;
  const listens = new Promise((heard) => (listening = heard));
  const voice = await call(grant, microphone, (event) => {
    list(event);
    if (event.type === "session.created") listening();
  });
  await listens;
  marks.listening = since(start);
  const publisher = Sora.connection(grant.signalling_url, false).sendonly(grant.channel_id, null, {});
  await publisher.connect(mixed(microphone, voice));
  marks.on_air = since(start);
  return marks;
}

globalThis.article = { begin };
