#include "personality/linux/poll_set.hpp"

namespace aios::linux_abi {

std::uint32_t poll_bits(std::uint64_t signals) {
    std::uint32_t bits = 0;
    if ((signals & kSignalReadable) != 0) bits |= kPollIn | kPollReadNormal;
    if ((signals & kSignalWritable) != 0) bits |= kPollOut | kPollWriteNormal;
    if ((signals & kSignalReadClosed) != 0) bits |= kPollReadHangUp;
    if ((signals & kSignalClosed) != 0) bits |= kPollHangUp;
    if ((signals & kSignalError) != 0) bits |= kPollError;
    return bits;
}

std::uint64_t signals_for(std::uint32_t bits) {
    std::uint64_t signals = kSignalClosed | kSignalError;
    if ((bits & (kPollIn | kPollReadNormal)) != 0) signals |= kSignalReadable;
    if ((bits & (kPollOut | kPollWriteNormal)) != 0) signals |= kSignalWritable;
    if ((bits & kPollReadHangUp) != 0) signals |= kSignalReadClosed;
    return signals;
}

PollSet::~PollSet() = default;

PollSet::Slot& PollSet::slot(std::size_t i) {
    if (i < kFew) return few_[i];
    i -= kFew;
    return pieces_[i / kOfPiece]->slots[i % kOfPiece];
}

Errno PollSet::add(Ref<OpenFile> file, std::uint32_t bits) {
    if (count_ >= kFew) {
        mm::Owned<Piece>& piece = pieces_[(count_ - kFew) / kOfPiece];
        if (!piece) {
            auto charge = Reservation::make(process_.quota(), Resource::memory, mm::cost_of<Piece>);
            if (!charge) return kNoMemory;
            auto made = mm::own<Piece>(std::move(*charge));
            if (!made) return kNoMemory;
            piece = std::move(*made);
        }
    }
    Slot& place = slot(count_++);
    place.file = std::move(file);
    place.bits = bits | kPollError | kPollHangUp;
    return Errno{};
}

std::uint32_t PollSet::ready(std::size_t i) {
    const Slot& place = slot(i);
    return poll_bits(place.file->ready()) & place.bits;
}

Errno PollSet::watch() {
    for (std::size_t i = 0; i < count_; ++i) {
        Slot& place = slot(i);
        event::Source* const source = place.file->source();
        if (source == nullptr) continue; // as it is, it stays
        place.watch.emplace(waiter_, *source, signals_for(place.bits));
        if (!place.watch->begin()) return kNoMemory;
    }
    return Errno{};
}

} // namespace aios::linux_abi
