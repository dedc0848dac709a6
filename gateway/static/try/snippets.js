// The programs and commands of a recipe, as text that runs as it stands.  A token is never part of them: they take it from
// the environment, or say where it goes.

const TOKEN = 'FSNATS_TOKEN';

// A string in Python and JavaScript alike.
export function quoted(text) {
  const escaped = text.replace(/[\\']/g, '\\$&').replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `'${escaped}'`;
}

// A word of a shell.
export function word(text) {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

// With websockets' own client: curl does not speak WebSocket everywhere.
export function terminal(url, messages, token) {
  const place = token ? `${word(url + (url.includes('?') ? '&' : '?') + 'token=')}"$${TOKEN}"` : word(url);
  const command = `python3 -m websockets ${place}`;
  if (!messages.length) return command;
  return `{ printf '%s\\n' ${messages.map(word).join(' ')}; cat; } | ${command}`;
}

export function socketPython(url, messages, token) {
  const header = token ? `, additional_headers={'Authorization': f"Bearer {os.environ['${TOKEN}']}"}` : '';
  const lines = [...(token ? ['import os', ''] : []), 'from websockets.sync.client import connect', ''];
  lines.push(`with connect(${quoted(url)}, max_size=None${header}) as ws:`);
  lines.push(...messages.map((message) => `    ws.send(${quoted(message)})`));
  lines.push('    for message in ws:', '        print(message, flush=True)');
  return lines.join('\n');
}

export function socketJavaScript(url, messages, token) {
  const lines = [`const ws = new WebSocket(${inPage(url, token)});`];
  if (messages.length === 1) lines.push(`ws.onopen = () => ws.send(${quoted(messages[0])});`);
  if (messages.length > 1) {
    lines.push('ws.onopen = () => {', ...messages.map((message) => `  ws.send(${quoted(message)});`), '};');
  }
  lines.push('ws.onmessage = (event) => console.log(event.data);');
  return lines.join('\n');
}

export function curl(urls, token, more = '') {
  const header = token ? `-H "Authorization: Bearer $${TOKEN}" ` : '';
  return urls.map((url) => `curl ${more}${header}${word(url)}`).join('\n');
}

function request(token) {
  const header = token ? `, headers={'Authorization': f"Bearer {os.environ['${TOKEN}']}"}` : '';
  return { imports: token ? ['import os'] : [], call: (url) => `Request(${url}${header})` };
}

export function eventsPython(url, token) {
  const { imports, call } = request(token);
  return [
    ...imports,
    'from urllib.request import Request, urlopen',
    '',
    `with urlopen(${call(quoted(url))}) as events:`,
    '    for line in events:',
    "        if line.startswith(b'data: '):",
    "            print(line[6:].decode().rstrip(), flush=True)",
  ].join('\n');
}

export function eventsJavaScript(url, token) {
  return [
    `const events = new EventSource(${inPage(url, token)});`,
    'events.onmessage = (event) => console.log(event.data);',
    "for (const name of ['gap', 'resumed', 'goodbye', 'close']) {",
    '  events.addEventListener(name, (event) => console.warn(name, event.data));',
    '}',
  ].join('\n');
}

export function restPython(urls, token) {
  const { imports, call } = request(token);
  const head = ['import json', ...imports, 'from urllib.request import Request, urlopen', ''];
  const list = urls.length > 1 ? ['urls = [', ...urls.map((url) => `    ${quoted(url)},`), ']', 'for url in urls:'] : [];
  const look = [`with urlopen(${call(list.length ? 'url' : quoted(urls[0]))}) as reply:`, '    print(json.load(reply), flush=True)'];
  return [...head, ...list, ...look.map((line) => (list.length ? `    ${line}` : line))].join('\n');
}

export function restJavaScript(urls, token) {
  const header = token ? ", { headers: { Authorization: 'Bearer YOUR_TOKEN' } }" : '';
  return urls
    .map((url) => `fetch(${quoted(url)}${header}).then((reply) => reply.json()).then((body) => console.log(body));`)
    .join('\n');
}

const PYTHON_NAMES = { maxRate: 'max_rate', closedOnly: 'closed_only' };

export function clientPython(url, names, args, token) {
  const more = Object.entries(args).map(([name, value]) => `${PYTHON_NAMES[name] ?? name}=${pythonValue(value)}`);
  const access = token ? `, token=os.environ['${TOKEN}']` : '';
  return [
    'import asyncio',
    ...(token ? ['import os'] : []),
    '',
    'from fsnats.client import Client, Gap, Message',
    '',
    '',
    'async def main():',
    `    async with Client(${quoted(url)}${access}) as client:`,
    `        async for value in client.stream(${[...names.map(quoted), ...more].join(', ')}):`,
    '            match value:',
    '                case Message():',
    '                    print(value.stream, value.data, flush=True)',
    '                case Gap():',
    "                    print('missing:', value.stream, value.first, value.last, value.reason)",
    '',
    '',
    'asyncio.run(main())',
  ].join('\n');
}

function pythonValue(value) {
  return typeof value === 'string' ? quoted(value) : value === true ? 'True' : value === false ? 'False' : String(value);
}

export function clientJavaScript(http, ws, names, wanted, token) {
  const more = Object.entries(wanted).map(([name, value]) => `  ${name}: ${javascriptValue(value)},`);
  const access = token ? ", { token: 'YOUR_TOKEN' }" : '';
  return [
    `import { Client } from ${quoted(`${http}/fsnats.js`)};`,
    '',
    `const client = new Client(${quoted(ws)}${access});`,
    `const stop = client.stream([${names.map(quoted).join(', ')}], {`,
    ...more,
    '  message: ({ stream, data }) => console.log(stream, data),',
    "  gap: ({ stream, reason }) => console.warn('missing', stream, reason),",
    '  error: ({ code, message }) => console.error(code, message),',
    '});',
  ].join('\n');
}

function javascriptValue(value) {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  return `{ ${Object.entries(value).map(([name, each]) => `${name}: ${javascriptValue(each)}`).join(', ')} }`;
}

function inPage(url, token) {
  return quoted(token ? `${url}${url.includes('?') ? '&' : '?'}token=YOUR_TOKEN` : url);
}
