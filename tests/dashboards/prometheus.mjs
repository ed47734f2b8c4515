// A real Prometheus over data that the lab has kept, on this machine's loopback, and what is asked of it.
import { createServer } from 'node:net';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

export class Prometheus {
  // Works on a copy, so that what was kept stays as it is.
  static async over(kept) {
    const home = mkdtempSync(join(tmpdir(), 'uplink-dashboards-'));
    cpSync(kept, join(home, 'data'), { recursive: true });
    writeFileSync(join(home, 'prometheus.yml'), 'scrape_configs: []\n');
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${home}/prometheus.yml`,
        `--storage.tsdb.path=${home}/data`,
        '--log.level=warn',
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const self = new Prometheus(`http://127.0.0.1:${port}`, child, home);
    process.on('exit', () => child.kill('SIGKILL'));
    for (let i = 0; i < 300; ++i) {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
      if (
        await fetch(`${self.base}/-/ready`).then(
          (r) => r.ok,
          () => false,
        )
      )
        return self;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('prometheus was not ready within 30 s');
  }

  constructor(base, child, home) {
    Object.assign(this, { base, child, home });
  }

  async stop() {
    this.child.kill('SIGTERM');
    await new Promise((resolve) => {
      this.child.exitCode === null ? this.child.on('exit', resolve) : resolve();
    });
    rmSync(this.home, { recursive: true, force: true });
  }

  async ask(path, parameters) {
    const response = await fetch(`${this.base}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const answer = await response.json();
    if (answer.status !== 'success') throw new Error(`${parameters.query ?? path}: ${answer.error}`);
    return answer.data;
  }

  // [[labels, [[time, value], ...]], ...]
  async range(query, { start, end, step }) {
    const { result } = await this.ask('query_range', { query, start, end, step });
    return result.map(({ metric, values }) => [metric, values.map(([t, v]) => [t, number(v)])]);
  }

  // [[labels, value], ...]
  async instant(query, time) {
    const { result, resultType } = await this.ask('query', { query, time });
    if (resultType === 'scalar') return [[{}, number(result[1])]];
    return result.map(({ metric, value }) => [metric, number(value[1])]);
  }

  // First and last second for which there are samples.
  async span() {
    const response = await fetch(`${this.base}/api/v1/status/tsdb`);
    const { minTime, maxTime } = (await response.json()).data.headStats;
    return { start: Math.ceil(minTime / 1000), end: Math.floor(maxTime / 1000) };
  }

  // Values of a query variable, `label_values(SELECTOR, LABEL)`, with the others already put in.
  async labelValues(query, { start, end }) {
    const [, selector, label] = query.match(/^label_values\((.*), (\w+)\)$/s);
    const series = await this.ask('series', { 'match[]': selector, start, end });
    return [...new Set(series.map((one) => one[label]).filter((value) => value !== undefined))].sort();
  }
}

const number = (text) => (text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text));
