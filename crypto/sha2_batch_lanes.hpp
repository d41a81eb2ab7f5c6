// How jobs go through the lanes of an engine; see sha2_batch.hpp.
//
// An engine has kLanes; kAlone, the number of busy lanes up to which it is quicker to finish one after the other; and over
// the words of the workspace
//   set(words, lane, state), get(words, lane)     the chaining state of a lane
//   compress(words, from, count)                  `count` blocks in each lane, lane s from from[s] on
//
// What always holds in the loop: each busy lane has at least one block at `from`. A message's blocks come in up to
// three runs: the one block that begins with the prefix, put together in the lane's buffer; the whole blocks of the
// message where they lie; the padded rest, in the buffer again.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"
#include "crypto/sha2_batch.hpp"

namespace aios::crypto::detail {

template <typename Engine>
class BatchRun {
public:
    BatchRun(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace, Engine engine = {})
        : engine_(engine), jobs_(jobs), words_(workspace.words),
          lanes_(std::span(workspace.lanes).first(Engine::kLanes)) {}

    void run() {
        std::size_t busy = 0;
        for (std::size_t s = 0; s < Engine::kLanes; ++s)
            busy += start_next(s) ? 1 : 0;
        while (busy > Engine::kAlone || !jobs_.empty()) {
            const std::byte* from[Engine::kLanes];
            const std::size_t count = common_run(from);
            engine_.compress(words_, from, count);
            for (std::size_t s = 0; s < Engine::kLanes; ++s) {
                BatchLane& lane = lanes_[s];
                if (lane.digest == nullptr) continue;
                lane.from += kBlock * count;
                lane.blocks -= count;
                if (lane.blocks != 0 || next_run(lane)) continue;
                write(Engine::get(words_, s), lane);
                if (!start_next(s)) --busy;
            }
        }
        for (std::size_t s = 0; s < Engine::kLanes; ++s)
            if (lanes_[s].digest != nullptr) finish_alone(s);
    }

private:
    static constexpr std::size_t kBlock = 64;

    // Gives lane `s` the next job; false if there is none, and then it is idle.
    bool start_next(std::size_t s) {
        BatchLane& lane = lanes_[s];
        if (jobs_.empty()) {
            lane.digest = nullptr;
            return false;
        }
        const Sha256Job& job = jobs_.front();
        jobs_ = jobs_.subspan(1);
        lane.prefix = job.prefix;
        lane.rest = job.message;
        lane.length = job.prefix.size() + job.message.size();
        lane.digest = job.digest;
        lane.padded = false;
        Engine::set(words_, s, kSha256Initial);
        (void)next_run(lane); // there is one: the padding at least
        return true;
    }

    // The next blocks of a lane that has none at hand; false if the message is over.
    static bool next_run(BatchLane& lane) {
        if (lane.padded) return false;
        if (!lane.prefix.empty() && lane.prefix.size() + lane.rest.size() >= kBlock) {
            const std::size_t taken = kBlock - lane.prefix.size();
            std::copy(lane.prefix.begin(), lane.prefix.end(), lane.buffer.begin());
            std::copy_n(lane.rest.data(), taken, lane.buffer.data() + lane.prefix.size());
            lane.prefix = {};
            lane.rest = lane.rest.subspan(taken);
            lane.from = lane.buffer.data();
            lane.blocks = 1;
            return true;
        }
        if (lane.rest.size() >= kBlock) {
            lane.from = lane.rest.data();
            lane.blocks = lane.rest.size() / kBlock;
            lane.rest = lane.rest.subspan(kBlock * lane.blocks);
            return true;
        }
        // FIPS 180-4 section 5.1.1.
        constexpr std::size_t kLengthSize = 8;
        const std::size_t used = lane.prefix.size() + lane.rest.size();
        lane.blocks = used + 1 + kLengthSize <= kBlock ? 1 : 2;
        std::byte* const out = lane.buffer.data();
        std::copy(lane.prefix.begin(), lane.prefix.end(), out);
        std::copy(lane.rest.begin(), lane.rest.end(), out + lane.prefix.size());
        out[used] = std::byte{0x80};
        std::fill(out + used + 1, out + kBlock * lane.blocks - kLengthSize, std::byte{0});
        store_be(out + kBlock * lane.blocks - kLengthSize, lane.length << 3);
        lane.from = out;
        lane.padded = true;
        return true;
    }

    // As many blocks as all busy lanes have at hand, at least one. An idle lane reads those of a busy one, which are
    // therefore enough.
    std::size_t common_run(const std::byte* (&from)[Engine::kLanes]) const {
        std::size_t count = ~std::size_t{0};
        const std::byte* any = nullptr;
        for (const BatchLane& lane : lanes_) {
            if (lane.digest == nullptr) continue;
            count = std::min(count, lane.blocks);
            any = lane.from;
        }
        for (std::size_t s = 0; s < Engine::kLanes; ++s)
            from[s] = lanes_[s].digest == nullptr ? any : lanes_[s].from;
        return count;
    }

    void finish_alone(std::size_t s) {
        BatchLane& lane = lanes_[s];
        std::array<std::uint32_t, 8> state = Engine::get(words_, s);
        do {
            sha2_compress(state, lane.from, lane.blocks);
        } while (next_run(lane));
        write(state, lane);
    }

    static void write(const std::array<std::uint32_t, 8>& state, const BatchLane& lane) {
        for (std::size_t i = 0; i < state.size(); ++i)
            store_be(lane.digest->data() + 4 * i, state[i]);
    }

    const Engine engine_;
    std::span<const Sha256Job> jobs_;
    Sha256LaneWords& words_;
    std::span<BatchLane> lanes_;
};

} // namespace aios::crypto::detail
