import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@postloop/local-stack';
import { folderIn } from './campaign.js';
import { debianProgram } from './debian-program.js';
import { spawnTool, type Tool } from './tool.js';

const run = promisify(execFile);

/** As many as the cores of a small server: threads of wrk, processes of nginx and gateways. */
export const THREADS = 2;
export const CONNECTIONS = 256;

export interface WebLoad {
  /** Answers that arrived whole. */
  answers: number;
  seconds: number;
  /** Answers of 400 and above, and connections that failed. */
  errors: number;
  /** The slowest of a hundred waited so long, in milliseconds. */
  p99Ms: number;
}

/** Prepared once: building a request costs the load generator more than sending it. Arguments: file, number of its first thread. */
const SCRIPT = `
local threads = 0
function setup(thread)
  thread:set("part", threads)
  threads = threads + 1
end
function init(args)
  requests = {}
  at = 0
  local lines = 0
  for line in io.lines(args[1]) do
    lines = lines + 1
    if lines % ${THREADS} == part + tonumber(args[2]) then
      local path, agent = line:match("^(%S+) (.*)$")
      requests[#requests + 1] = wrk.format("GET", path, { ["User-Agent"] = agent })
    end
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format('{"answers":%d,"seconds":%f,"errors":%d,"p99Ms":%f}',
    summary.requests, summary.duration / 1e6, errors, latency:percentile(99) / 1e3))
end
`;

/**
 * wrk, which asks for the next path as soon as it has an answer, over and over; each server of `urls` gets its share of the
 * connections and of the requests.
 * @param requests lines of path, blank and user agent, all asked in turn
 */
export async function loadWeb(
  dir: string,
  urls: readonly string[],
  requests: readonly string[],
  seconds: number,
): Promise<WebLoad> {
  const { path, env } = await debianProgram('wrk', 'wrk');
  const [script, list] = [join(dir, 'wrk.lua'), join(dir, 'requests')];
  await Promise.all([writeFile(script, SCRIPT), writeFile(list, `${requests.join('\n')}\n`)]);
  const [threads, connections] = [THREADS / urls.length, CONNECTIONS / urls.length];
  const loads = urls.map(async (url, i) => {
    const args = ['-t', `${threads}`, '-c', `${connections}`, '-d', `${seconds}s`, '-s', script, url, '--', list];
    const { stdout } = await run(path, [...args, `${i * threads}`], { env: { ...process.env, ...env } });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as WebLoad;
  });
  return (await Promise.all(loads)).reduce((all, one) => ({
    answers: all.answers + one.answers,
    seconds: Math.max(all.seconds, one.seconds),
    errors: all.errors + one.errors,
    p99Ms: Math.max(all.p99Ms, one.p99Ms),
  }));
}

/** nginx of Debian, which answers any pixel from memory and sends any click on. */
export async function startNginx(dir: string): Promise<Tool & { url: string }> {
  const { path, env } = await debianProgram('nginx', 'nginx');
  const folder = await folderIn(dir, 'nginx');
  const port = await freePort();
  const conf = join(folder, 'nginx.conf');
  await writeFile(
    conf,
    `daemon off; pid ${folder}/pid; worker_processes ${THREADS}; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
  uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  server {
    listen 127.0.0.1:${port};
    location /o/ { empty_gif; }
    location /c/ { return 302 https://shop.example/offers/1?campaign=winter; }
  }
}
`,
  );
  const tool = await spawnTool(path, ['-c', conf, '-p', folder], { env, logFile: join(folder, 'nginx.log') });
  return { ...tool, url: `http://127.0.0.1:${port}` };
}
