// The storage of a channel against a model: contents, order, capacity, and that every block comes back.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>
#include <string>

#include "kernel/ipc/message_store.hpp"

namespace aios::ipc {
namespace {

void fill(MessageStore& store, MessageHeader& message, const std::string& text) {
    ASSERT_TRUE(store.for_pieces(message, [&](std::uint64_t offset, MutableBytes piece) -> Result<> {
        std::memcpy(piece.data(), text.data() + offset, piece.size());
        return {};
    }));
}
std::string read(MessageStore& store, MessageHeader& message) {
    std::string text(message.size, '\0');
    EXPECT_TRUE(store.for_pieces(message, [&](std::uint64_t offset, MutableBytes piece) -> Result<> {
        std::memcpy(text.data() + offset, piece.data(), piece.size());
        return {};
    }));
    return text;
}

TEST(MessageStore, agrees_with_a_model) {
    std::mt19937 random(1);
    MessageStore store;
    ASSERT_TRUE(store.init(20, 70000));
    struct Model {
        MessageHeader* message;
        std::string text;
    };
    std::deque<Model> queue;
    std::vector<Model> reserved, taken; // on their way in and out
    std::uint64_t bytes = 0;
    const auto release = [&](Model& model) {
        bytes -= model.text.size();
        store.drop_parcels(*model.message);
        store.free(*model.message);
    };
    for (int step = 0; step < 30000; ++step) {
        switch (random() % 6) {
        case 0: {
            const std::uint32_t size = random() % 3 == 0 ? random() % 65537 : random() % 900;
            const std::uint32_t parcels = random() % 4 == 0 ? random() % 9 : 0;
            MessageHeader* message = store.reserve(size, parcels);
            const std::size_t held = queue.size() + reserved.size() + taken.size();
            if (held == 20 || bytes + size > 70000) {
                ASSERT_EQ(message, nullptr);
                break;
            }
            if (message == nullptr) { // only capabilities can lack a block
                ASSERT_TRUE(parcels != 0 && held != 0);
                break;
            }
            ASSERT_EQ(store.parcels(*message).size(), parcels);
            std::string text(size, '\0');
            for (char& c : text)
                c = static_cast<char>(random());
            fill(store, *message, text);
            bytes += size;
            reserved.push_back({message, text});
            break;
        }
        case 1: // completed in any order
            if (reserved.empty()) break;
            std::swap(reserved[random() % reserved.size()], reserved.back());
            store.push_back(*reserved.back().message);
            queue.push_back(reserved.back());
            reserved.pop_back();
            break;
        case 2: {
            MessageHeader* message = store.pop_front();
            if (queue.empty()) {
                ASSERT_EQ(message, nullptr);
                break;
            }
            ASSERT_EQ(message, queue.front().message);
            taken.push_back(queue.front());
            queue.pop_front();
            break;
        }
        case 3: // delivered, or given back
            if (taken.empty()) break;
            ASSERT_EQ(read(store, *taken.back().message), taken.back().text);
            if (random() % 3 == 0) {
                store.push_front(*taken.back().message);
                queue.push_front(taken.back());
            } else {
                release(taken.back());
            }
            taken.pop_back();
            break;
        case 4: // a caller gives up in the middle of the queue
            if (queue.empty() || random() % 4 != 0) break;
            {
                const auto which = queue.begin() + static_cast<long>(random() % queue.size());
                store.remove(*which->message);
                release(*which);
                queue.erase(which);
            }
            break;
        case 5: // a sender fails
            if (reserved.empty() || random() % 4 != 0) break;
            release(reserved.back());
            reserved.pop_back();
            break;
        }
        ASSERT_EQ(store.queued(), queue.size());
        ASSERT_EQ(store.front(), queue.empty() ? nullptr : queue.front().message);
    }
    while (MessageHeader* message = store.pop_front()) {
        store.drop_parcels(*message);
        store.free(*message);
    }
    for (auto* list : {&reserved, &taken})
        for (Model& model : *list)
            release(model);
    // Empty again: it takes its whole capacity, and handles beside it.
    for (int round = 0; round < 3; ++round) {
        MessageHeader* all[20];
        for (int i = 0; i < 20; ++i) {
            all[i] = store.reserve(3500, i == 19 ? 8 : 0);
            ASSERT_NE(all[i], nullptr);
        }
        ASSERT_EQ(store.reserve(0, 0), nullptr);
        for (MessageHeader* message : all) {
            store.drop_parcels(*message);
            store.free(*message);
        }
    }
}

TEST(MessageStore, every_size_fits_an_empty_channel) {
    MessageStore store;
    ASSERT_TRUE(store.init(1, 65536));
    for (std::uint32_t size : {0u, 1u, 447u, 448u, 449u, 455u, 456u, 457u, 955u, 956u, 957u, 65535u, 65536u}) {
        MessageHeader* message = store.reserve(size, 8);
        ASSERT_NE(message, nullptr) << size;
        const std::string text(size, static_cast<char>('a' + size % 26));
        fill(store, *message, text);
        EXPECT_EQ(read(store, *message), text);
        store.drop_parcels(*message);
        store.free(*message);
    }
    EXPECT_EQ(store.reserve(65537, 0), nullptr);
}

} // namespace
} // namespace aios::ipc
