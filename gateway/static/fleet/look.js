// One look at the fleet (`/api/fleet`), put in order: who is there, what belongs to what, and where something is wrong.  Pure.
// Programs of other versions may answer too: what is missing has a default, what is unknown is passed over.

/** @typedef {'' | 'warning' | 'error'} Severity */
/** @typedef {{ severity: 'warning' | 'error', what: string, do: string, where: Record<string, string> }} Trouble */
/** @typedef {{ name: string, state: string, pid: number | null, restarts: number, uptime: number | null, rss: number | null, said: string, last_exit: number | null }} Program as its supervisor sees it */
/** @typedef {{ id: string, status: string, exit: string | null, streams: string[], live: number, message_count: number, dials: number, rotations: number, age: number | null, last_message_age: number | null, last_error: string | null, severity: Severity }} Connection */
/** @typedef {{ name: string, market: string, answers: boolean, pid: number | null, state: string, said: string, restarts: number, uptime: number | null, rss: number | null, lastExit: number | null, symbols: number, counts: Record<string, any>, lag: Record<string, any>, silent: number, connections: Connection[], severity: Severity }} Worker */
/** @typedef {{ name: string, answers: boolean, state: string, said: string, counts: Record<string, any>, severity: Severity } & Record<string, any>} Other */

const WORKER = 'ingest-';
const WORST = { error: 2, warning: 1, '': 0 };

/** The worse of two. @param {Severity} one @param {Severity} other @returns {Severity} */
export function worse(one, other) {
  return WORST[one] >= WORST[other] ? one : other;
}

/** @param {any} told an answer of `/api/fleet` */
export function look(told) {
  const statuses = /** @type {any[]} */ (told.programs ?? []);
  const troubles = /** @type {Trouble[]} */ (told.troubles ?? []);
  const supervisors = statuses.filter(({ kind, program }) => (kind ?? program) === 'supervisor');
  const programs = /** @type {Program[]} */ (supervisors.flatMap((each) => each.programs ?? []));
  const byName = new Map(programs.map((each) => [each.name, each]));
  const of = (/** @type {string} */ kind) => statuses.filter((each) => each.kind === kind);

  /** How bad it is at a place. @param {string} where @param {string} name @returns {Severity} */
  const severity = (where, name) =>
    troubles.reduce((worst, each) => (each.where?.[where] === name ? worse(worst, each.severity) : worst), /** @type {Severity} */ (''));
  const exits = supervisors.flatMap((each) => each.exits ?? []).map((each) => ({ ...each, severity: severity('exit', each.name) }));

  return {
    at: /** @type {number} */ (told.at ?? 0),
    gateway: /** @type {string} */ (told.gateway ?? ''),
    troubles,
    supervised: supervisors.length > 0,
    programs: programs.map((each) => ({ ...each, severity: severity('program', each.name) })),
    exits,
    workers: workers(of('ingest'), byName, severity),
    gateways: others('gateway', of('gateway'), byName, severity),
    histories: others('history', of('history'), byName, severity),
    recorders: others('recorder', of('recorder'), byName, severity),
    captures: others('capture', of('capture'), byName, severity),
    markets: Object.entries(Object.assign({}, ...supervisors.map((each) => each.markets ?? {}))),
  };
}

/** @typedef {ReturnType<typeof look>} Look */

/**
 * Those that answer, and those that should: a worker that is down has no status of its own.
 * @param {any[]} statuses @param {Map<string, Program>} byName @param {(where: string, name: string) => Severity} severity
 * @returns {Worker[]}
 */
function workers(statuses, byName, severity) {
  const answers = new Map(statuses.map((each) => [each.program, each]));
  const names = new Set([...answers.keys(), ...[...byName.keys()].filter((name) => name.startsWith(WORKER))]);
  return [...names].sort(inOrder).map((name) => {
    const status = answers.get(name);
    const program = byName.get(name);
    const connections = (status?.connections ?? []).map((/** @type {any} */ each) => connection(each, severity));
    const own = severity('program', name);
    const isDown = program !== undefined && program.state !== 'ready';
    return {
      name,
      market: status?.market ?? name.split('-')[1] ?? '',
      answers: status !== undefined,
      pid: status?.pid ?? program?.pid ?? null,
      state: program?.state ?? (status ? 'ready' : 'gone'),
      said: program?.said ?? '',
      restarts: program?.restarts ?? 0,
      uptime: program?.uptime ?? null,
      rss: program?.rss ?? null,
      lastExit: program?.last_exit ?? null,
      symbols: status?.symbols ?? 0,
      counts: status ?? {},
      lag: status?.lag ?? {},
      silent: status?.silent?.count ?? 0,
      connections,
      severity: isDown && !status ? 'error' : connections.reduce((worst, each) => worse(worst, each.severity), own),
    };
  });
}

/** @param {any} told @param {(where: string, name: string) => Severity} severity @returns {Connection} */
function connection(told, severity) {
  const none = { status: '?', exit: null, streams: [], live: 0, message_count: 0, dials: 0, rotations: 0 };
  const one = { age: null, last_message_age: null, last_error: null, ...none, ...told };
  return { ...one, severity: worse(severity('connection', one.id), one.status === 'connected' ? '' : 'warning') };
}

/**
 * Programs of one kind; those that the supervisor keeps and that do not answer, too.
 * @param {string} kind @param {any[]} statuses @param {Map<string, Program>} byName @param {(where: string, name: string) => Severity} severity
 * @returns {Other[]}
 */
function others(kind, statuses, byName, severity) {
  const heard = new Set(statuses.flatMap((each) => [each.program, each.pid]));
  // A ready one may answer under other names, those of its processes.
  const isMissing = (/** @type {Program} */ { name, pid, state }) => !heard.has(name) && !heard.has(pid) && (state !== 'ready' || !statuses.length);
  const unheard = [...byName.values()].filter((each) => isOf(kind, each.name) && isMissing(each));
  const said = statuses.map((each) => ({
    ...each,
    name: each.program,
    answers: true,
    state: byName.get(each.program)?.state ?? 'ready',
    said: byName.get(each.program)?.said ?? '',
    counts: each.counted ?? each,
    severity: severity('program', each.program),
  }));
  const missing = unheard.map((each) => ({
    name: each.name,
    pid: each.pid,
    answers: false,
    state: each.state,
    said: each.said,
    counts: {},
    severity: worse(severity('program', each.name), each.state === 'ready' ? 'warning' : 'error'),
  }));
  return [...said, ...missing].sort((one, other) => inOrder(one.name, other.name));
}

/** `gateway`, `gateway-2`: programs of a kind, by their names at the supervisor. @param {string} kind @param {string} name */
function isOf(kind, name) {
  return name === kind || name.startsWith(`${kind}-`);
}

/** `ingest-spot-9` before `ingest-spot-10`. @param {string} one @param {string} other */
export function inOrder(one, other) {
  return one.localeCompare(other, 'en', { numeric: true });
}

/** What a connection is called beside its worker: `market-0` of `ingest-usdm-3-market-0`. @param {string} id @param {string} worker */
export function shortName(id, worker) {
  return id.startsWith(`${worker}-`) ? id.slice(worker.length + 1) : id;
}
