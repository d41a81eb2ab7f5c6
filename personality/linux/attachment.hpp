// Attachment: what travels beside the bytes of a message of AF_UNIX: open files (SCM_RIGHTS) and who sends (SCM_CREDENTIALS).
//
// Files in flight are held by the message, are charged to who sent it, and go back when it is received, dropped or its socket
// ends. A socket of AF_UNIX cannot be sent (ETOOMANYREFS): so what is in flight never holds something in flight itself, there
// are no circles, and letting a message go ends files one deep. An agent has at most kMostInFlight files on their way.
//
// In a Stream an attachment stands at the position of its message's first byte: it is put there when that byte is published,
// and taken with it, each under the stream's lock; a read ends before the next one.
// Locks: AttachmentList has one of Rank::operation, which is taken under Rank::stream.
#pragma once

#include "base/intrusive_list.hpp"
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/socket_space.hpp"

namespace aios::linux_abi {

struct Credentials { // struct ucred
    std::int32_t process;
    std::uint32_t user, group;
};

class Attachment {
public:
    static constexpr unsigned kMostFiles = 253; // SCM_MAX_FD
    // What the control data of a message says; empty: nothing. kBadFd, kInvalid, kPerm (somebody else's credentials),
    // kTooManyReferences, kNoMemory, kFault.
    static std::expected<mm::Owned<Attachment>, Errno> fetch(Call& call, const MessageHeader& message);
    Attachment(mm::OnHeap, Reservation charge, Ref<SocketSpace> space)
        : charge_(std::move(charge)), space_(std::move(space)) {}
    Attachment(const Attachment&) = delete;
    ~Attachment() { space_->landed(count_); }

    [[nodiscard]] std::span<const Ref<OpenFile>> files() const { return {files_, count_}; }
    std::optional<Credentials> credentials;
    ListNode node; // in the list of one direction
    std::uint64_t position = 0;

private:
    Errno add_files(Call& call, UserIn<std::int32_t> numbers, std::uint64_t count);
    Reservation charge_;
    const Ref<SocketSpace> space_;
    Ref<OpenFile> files_[kMostFiles];
    unsigned count_ = 0;
};

// Those of one direction of a connection.
class AttachmentList {
public:
    AttachmentList() = default;
    AttachmentList(const AttachmentList&) = delete;
    ~AttachmentList() { drop(); }
    // Taken, unless the list was dropped: then it ends with its sender.
    void add(mm::Owned<Attachment>& attachment, std::uint64_t position);
    // How many of `bytes` from `position` on may be read at once.
    [[nodiscard]] std::uint64_t bound(std::uint64_t position, std::uint64_t bytes);
    [[nodiscard]] mm::Owned<Attachment> take(std::uint64_t position); // empty: none stands there
    void drop();                                                      // all, and those to come; no locks

private:
    using Lock = sync::SpinLock<sync::Rank::operation>;
    Lock lock_;
    IntrusiveList<Attachment, &Attachment::node> list_ AIOS_GUARDED_BY(lock_);
    bool is_dropped_ AIOS_GUARDED_BY(lock_) = false;
};

// What is written, with an attachment at its first byte.
class AttachedIn final : public ipc::StreamIn {
public:
    AttachedIn(ipc::StreamIn& from, AttachmentList& list, mm::Owned<Attachment> attachment)
        : from_(from), list_(list), attachment_(std::move(attachment)) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override { return from_.fetch(offset, to); }
    void published(std::uint64_t position) override {
        if (attachment_) list_.add(attachment_, position);
    }

private:
    ipc::StreamIn& from_;
    AttachmentList& list_;
    mm::Owned<Attachment> attachment_;
};

// What is read, up to the next attachment, with the one that stands at its start.
class AttachedOut final : public ipc::StreamOut {
public:
    AttachedOut(ipc::StreamOut& to, AttachmentList& list) : to_(to), list_(list) {}
    Result<> store(std::uint64_t offset, Bytes from) override { return to_.store(offset, from); }
    std::uint64_t bound(std::uint64_t position, std::uint64_t bytes) override { return list_.bound(position, bytes); }
    void taken(std::uint64_t position) override {
        if (!attachment) attachment = list_.take(position);
    }
    mm::Owned<Attachment> attachment;

private:
    ipc::StreamOut& to_;
    AttachmentList& list_;
};

// What recvmsg tells of an attachment (may be empty), as control data: descriptors are made for its files. `credentials`: told
// if there are any. Sets message.control_bytes and MSG_CTRUNC where something did not fit.
Outcome tell_attachment(Call& call, MessageHeader& message, const Attachment* attachment,
                        std::optional<Credentials> credentials, OnExec on_exec);

} // namespace aios::linux_abi
