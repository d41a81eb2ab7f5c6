// StreamEnd: one of the two ends of a Stream as a kernel object, so that it can be granted, sent and waited for. Its
// handles have the right `read` or the right `write`, never both. It closes when its last reference is gone: a handle,
// a message that carries one, an open file of a Linux program. Who makes the pair pays for it and for what lies in it.
#pragma once

#include "kernel/ipc/stream.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"

namespace aios::ipc {

class StreamEnd final : public Object {
    class Shared;

public:
    static constexpr ObjectType kType = ObjectType::stream;
    enum class Side : bool { reader, writer };
    struct Pair {
        Ref<StreamEnd> reader, writer;
    };
    // quota_exceeded, out_of_memory, killed.
    static Result<Pair> create(Payer& payer);

    [[nodiscard]] Side side() const { return side_; }
    [[nodiscard]] Stream& stream() const { return shared_->stream; }
    [[nodiscard]] event::Source& source() const {
        return side_ == Side::reader ? shared_->for_reader : shared_->for_writer;
    }
    event::Source* event_source() override { return &source(); }
    [[nodiscard]] std::uint64_t info_size() const override { return stream().waiting(); }
    void handle_removed(Rights) override { source().drop_ended(); }
    void revoked_for(std::uint64_t holder) override {
        source().drop_ended();
        stream().wake_revoked(holder);
    }

    StreamEnd(mm::OnHeap, Reservation charge, Ref<Shared> shared, Side side)
        : Object(kType, std::move(charge)), shared_(std::move(shared)), side_(side) {}
    ~StreamEnd() override;

private:
    // What both ends have, with the levels of each.
    class Shared {
    public:
        Shared(mm::OnHeap, Reservation charge, Payer& payer)
            : charge_(std::move(charge)), stream(payer, for_reader, for_writer, {kSignalClosed, kSignalError}) {}
        Shared(const Shared&) = delete;
        void retain() { references_.retain(); }
        void release() {
            if (references_.release()) mm::destroy(this);
        }

    private:
        RefCount references_;
        Reservation charge_;

    public:
        ~Shared() = default;
        event::Source for_reader, for_writer;
        Stream stream;
    };
    static Result<Ref<StreamEnd>> make(Payer& payer, const Ref<Shared>& shared, Side side);
    const Ref<Shared> shared_;
    const Side side_;
};

} // namespace aios::ipc
