// Sends streams of GETs from inside the server, each request on its tick, whether or not the former came back. Tells
// each in a line of JSON. Ends on SIGTERM, or after `most` seconds, when the last answer is there.
// usage: node - '{"streams": [{"name", "url", "keep"}], "rate", "most", "deadline", "header"}'
const http = require('node:http');

const { streams, rate, most, deadline, header } = JSON.parse(process.argv[2]);
// In milliseconds since 1970, to less than one.
const now = () => performance.timeOrigin + performance.now();
const over = now() + most * 1000;
let stopped = false;

function ask({ name, url }, agent) {
  const began = now();
  const signal = AbortSignal.timeout(deadline * 1000);
  let told = false;
  const tell = (status, release, error) => {
    if (told) return;
    told = true;
    const sample = { stream: name, at: began / 1000, seconds: (now() - began) / 1000, status, release, error };
    console.log(JSON.stringify(sample));
  };
  const fail = (error) => tell(0, '', signal.aborted ? `no answer in ${deadline} s` : (error.code ?? error.message));
  const read = (answer) => {
    answer.on('error', fail).on('end', () => tell(answer.statusCode, answer.headers[header] ?? '', ''));
    answer.resume();
  };
  http.get(url, { agent, signal }, read).on('error', fail);
}

function send(stream) {
  const agent = new http.Agent({ keepAlive: stream.keep });
  const began = now();
  const tick = (number) => {
    if (stopped || now() > over) return;
    ask(stream, agent);
    setTimeout(tick, Math.max(0, began + ((number + 1) * 1000) / rate - now()), number + 1);
  };
  tick(0);
}

process.on('SIGTERM', () => {
  stopped = true;
});
streams.forEach(send);
