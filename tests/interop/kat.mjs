// Our side: `aios-host kat`, asked one line at a time. The next line goes out only after the answer has come, so that the
// tests also show that answers do not wait in a buffer.
import { spawn } from 'node:child_process';
import readline from 'node:readline';

const patience = 120_000; // milliseconds for one answer
const plain = new Set(['hash', 'len', 'internal']);

export class Kat {
  constructor(program, words = ['kat']) {
    this.child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = [];
    this.ended = new Promise((resolve) => {
      const over = (what) => {
        this.over = what;
        for (const one of this.waiting.splice(0)) one.reject(new Error(what));
        resolve(what);
      };
      this.child.on('error', (error) => over(`kat: ${error.message}`));
      this.child.on('close', (code, signal) => over(`kat ended with ${signal ?? code}`));
    });
    this.child.stdin.on('error', () => {}); // the end is reported by `close`
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
  }

  // The answer to a line as it stands.
  async line(text) {
    if (this.over !== undefined) throw new Error(this.over);
    let timer;
    const answer = new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      timer = setTimeout(() => reject(new Error(`no answer to ${text.slice(0, 60)}`)), patience);
    });
    this.child.stdin.write(`${text}\n`);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  // The answer as { status, fields of an `ok` as Buffers }. Undefined fields are absent.
  async ask(test, fields) {
    let text = test;
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      text += ` ${name}=${plain.has(name) ? value : Buffer.from(value).toString('hex')}`;
    }
    const [status, ...words] = (await this.line(text)).split(' ');
    if (status === 'error') throw new Error(`${test}: ${words.join(' ')}`);
    const answer = { status };
    for (const word of words) {
      const at = word.indexOf('=');
      answer[word.slice(0, at)] = Buffer.from(word.slice(at + 1), 'hex');
    }
    return answer;
  }

  // The fields of an answer that has to be `ok`.
  async get(test, fields) {
    const answer = await this.ask(test, fields);
    if (answer.status !== 'ok') throw new Error(`${test}: ${answer.status}`);
    return answer;
  }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}
