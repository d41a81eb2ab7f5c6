// See stream_end.hpp.
#include "kernel/ipc/stream_end.hpp"

namespace aios::ipc {

Result<Ref<StreamEnd>> StreamEnd::make(Payer& payer, const Ref<Shared>& shared, Side side) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<StreamEnd>));
    return Ref<StreamEnd>::adopt(TRY(mm::make<StreamEnd>(std::move(charge), shared, side)));
}

Result<StreamEnd::Pair> StreamEnd::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Shared>));
    const auto shared = Ref<Shared>::adopt(TRY(mm::make<Shared>(std::move(charge), payer)));
    Pair pair;
    pair.reader = TRY(make(payer, shared, Side::reader)); // alone it closes its end: nobody has the other
    pair.writer = TRY(make(payer, shared, Side::writer));
    return pair;
}

StreamEnd::~StreamEnd() { side_ == Side::reader ? stream().close_reader() : stream().close_writer(); }

} // namespace aios::ipc
