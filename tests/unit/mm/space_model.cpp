#include "tests/unit/mm/space_model.hpp"

#include "kernel/mm/size_classes.hpp"

#include <cstdio>
#include <cstdlib>

namespace aios::test {

using Access = AddressSpace::Access;

void model_mismatch(const char* what, int line) {
    std::fprintf(stderr, "space_model.cpp:%d: model and address space differ: %s\n", line, what);
    std::abort();
}

SpaceDriver::SpaceDriver(Choices& choices) : choices_(choices) {
    fake::start_machine();
    set_ = mm::SpaceSet::create(set_payer_).value();
    for (int i = 0; i < 3; ++i)
        objects_.push_back(make_pages());
    auto source = std::make_shared<ModelPages>();
    source->pages =
        mm::Pages::create_from(pages_payer_, Ref<mm::PageSource>::share(source_), kObjectPages * kPageSize).value();
    source->is_source = true;
    for (std::uint64_t i = 0; i < kObjectPages; ++i)
        source->values.push_back(fake::Source::first_byte(i));
    objects_.push_back(source);
    jit_ = choices_.below(2) == 0 ? mm::Jit::yes : mm::Jit::no;
    auto space = std::make_unique<Space>();
    space->payer = std::make_unique<fake::CountingPayer>();
    space->space = AddressSpace::create(*space->payer, jit_).value();
    space->space->enter(*set_);
    space->space->settle();
    spaces_.push_back(std::move(space));
}

SpaceDriver::~SpaceDriver() {
    check_everything();
    for (auto& space : spaces_) {
        space->pages.clear();
        space->space.reset();
        MODEL_CHECK(space->payer->used() == 0);
        MODEL_CHECK(space->payer->references() == 0);
    }
    spaces_.clear();
    objects_.clear();
    MODEL_CHECK(pages_payer_.used() == 0);
    MODEL_CHECK(source_.references() == 0);
    set_.reset();
    MODEL_CHECK(set_payer_.used() == 0);
}

std::shared_ptr<SpaceDriver::ModelPages> SpaceDriver::make_pages() {
    auto object = std::make_shared<ModelPages>();
    object->pages = mm::Pages::create(pages_payer_, kObjectPages * kPageSize, mm::ChargeWhen::at_touch).value();
    object->values.resize(kObjectPages);
    return object;
}

Protection SpaceDriver::random_protection() {
    constexpr Protection kinds[] = {Protection::none, Protection::read, Protection::read | Protection::write,
                                    Protection::read | Protection::execute,
                                    Protection::read | Protection::write | Protection::execute};
    return kinds[choices_.below(std::size(kinds))];
}

void SpaceDriver::step() {
    switch (choices_.below(26)) {
    case 0:
    case 1:
    case 2:
        return map();
    case 3:
        return unmap();
    case 4:
    case 5:
        return protect();
    case 6:
        return discard();
    case 7:
        return remap();
    case 8:
        return fork();
    case 9:
        return end_space();
    case 10:
        return change_pages();
    case 11:
        if (choices_.below(8) == 0) revoke();
        return;
    case 12:
        return set_limit();
    case 13:
    case 14:
        return grant();
    default:
        return touch();
    }
}

void SpaceDriver::map() {
    Space& space = random_space();
    const std::uint64_t count = 1 + choices_.below(8);
    mm::MapOptions options;
    options.fixed = choices_.below(4) != 0;
    options.no_replace = choices_.below(4) == 0;
    options.maximum =
        choices_.below(4) == 0 ? random_protection() : Protection::read | Protection::write | Protection::execute;
    options.address = options.fixed || choices_.below(2) == 0 ? random_address() : 0;
    const Protection protection = random_protection();
    ModelPage page{protection, options.maximum, false, nullptr, nullptr};
    Result<std::uint64_t> answer = fail(Error::unsupported);
    std::uint64_t first_index = 0;
    if (choices_.below(2) == 0) {
        page.whole = choices_.below(2) == 0;
        answer = space.space->map_anonymous(count * kPageSize, protection,
                                            page.whole ? mm::ChargeWhen::at_once : mm::ChargeWhen::at_touch, options);
    } else {
        page.pages = objects_[choices_.below(objects_.size())];
        page.is_private = choices_.below(2) == 0;
        first_index = choices_.below(kObjectPages);
        if (!page.is_private && page.pages->is_source) page.maximum = page.maximum & ~Protection::write;
        if (choices_.below(2) == 0) page.authority = authorities_[choices_.below(std::size(authorities_))];
        options.authority = page.authority;
        answer = space.space->map(page.pages->pages, first_index * kPageSize, count * kPageSize, protection,
                                  page.is_private ? mm::Sharing::copy_on_write : mm::Sharing::shared, options);
    }
    const bool allowed =
        (protection & page.maximum) == protection &&
        (!has(protection, Protection::write) || !has(protection, Protection::execute) || jit_ == mm::Jit::yes);
    if (!allowed) {
        MODEL_CHECK(!answer && answer.error() == Error::missing_right);
        return;
    }
    bool overlaps = false;
    for (std::uint64_t i = 0; i < count; ++i)
        overlaps = overlaps || space.pages.contains(options.address + i * kPageSize);
    if (options.fixed && options.no_replace && overlaps) {
        MODEL_CHECK(!answer && answer.error() == Error::already_exists);
        return;
    }
    if (!answer) {
        MODEL_CHECK(quota_refused(answer.error()));
        return;
    }
    if (options.fixed) MODEL_CHECK(*answer == options.address);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!options.fixed) MODEL_CHECK(!space.pages.contains(*answer + i * kPageSize));
        page.index = first_index + i;
        space.pages[*answer + i * kPageSize] = page;
    }
}

void SpaceDriver::unmap() {
    Space& space = random_space();
    const std::uint64_t address = random_address(), count = 1 + choices_.below(12);
    const auto done = space.space->unmap(address, count * kPageSize);
    if (!done) {
        MODEL_CHECK(quota_refused(done.error()));
        return;
    }
    space.pages.erase(space.pages.lower_bound(address), space.pages.lower_bound(address + count * kPageSize));
}

void SpaceDriver::protect() {
    Space& space = random_space();
    const std::uint64_t address = random_address(), count = 1 + choices_.below(12);
    const Protection protection = random_protection();
    const auto done = space.space->protect(address, count * kPageSize, protection);
    bool has_hole = false, allowed = true;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto page = space.pages.find(address + i * kPageSize);
        if (page == space.pages.end()) {
            has_hole = true;
            continue;
        }
        const bool both = has(protection, Protection::write) && has(protection, Protection::execute);
        if ((protection & page->second.maximum) != protection || (both && jit_ == mm::Jit::no)) allowed = false;
    }
    if (has_hole || !allowed) {
        MODEL_CHECK(!done && (done.error() == Error::bad_address || done.error() == Error::missing_right));
        return;
    }
    if (!done) {
        MODEL_CHECK(quota_refused(done.error()));
        return;
    }
    for (std::uint64_t i = 0; i < count; ++i)
        space.pages[address + i * kPageSize].protection = protection;
}

void SpaceDriver::discard() {
    Space& space = random_space();
    const std::uint64_t address = random_address(), count = 1 + choices_.below(12);
    const auto done = space.space->discard(address, count * kPageSize);
    bool has_hole = false;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto page = space.pages.find(address + i * kPageSize);
        if (page == space.pages.end()) {
            has_hole = true;
            continue;
        }
        page->second.owned = false;
        page->second.value = 0;
    }
    MODEL_CHECK(done.has_value() == !has_hole);
}

void SpaceDriver::remap() {
    Space& space = random_space();
    const std::uint64_t address = random_address(), old_count = 1 + choices_.below(6),
                        new_count = 1 + choices_.below(9);
    const bool may_move = choices_.below(2) == 0;
    const auto answer = space.space->remap(address, old_count * kPageSize, new_count * kPageSize,
                                           may_move ? AddressSpace::MayMove::yes : AddressSpace::MayMove::no);
    if (!answer) {
        const Error error = answer.error();
        MODEL_CHECK(error == Error::bad_address || quota_refused(error));
        return;
    }
    std::vector<ModelPage> moved;
    for (std::uint64_t i = 0; i < old_count; ++i) {
        const auto page = space.pages.find(address + i * kPageSize);
        MODEL_CHECK(page != space.pages.end());
        moved.push_back(page->second);
        space.pages.erase(page);
    }
    MODEL_CHECK(may_move || *answer == address);
    for (std::uint64_t i = 0; i < new_count; ++i) {
        ModelPage page = moved[std::min(i, old_count - 1)];
        if (i >= old_count) {
            page.index += i - (old_count - 1);
            page.owned = false;
            page.value = 0;
        }
        MODEL_CHECK(!space.pages.contains(*answer + i * kPageSize));
        space.pages[*answer + i * kPageSize] = page;
    }
}

std::optional<std::uint8_t> SpaceDriver::model_value(const ModelPage& page) const {
    if (page.is_private && page.owned) return page.value;
    if (page.pages == nullptr) return std::uint8_t{0};
    if (page.index >= page.pages->values.size()) return std::nullopt;
    if (page.pages->is_source && page.index == fake::Source::kBadPage) return std::nullopt;
    return page.pages->values[page.index];
}

void SpaceDriver::touch() {
    Space& space = random_space();
    std::uint64_t address = random_address();
    if (choices_.below(4) == 0 && !space.pages.empty()) { // one that was placed elsewhere
        auto found = space.pages.lower_bound(choices_.below(2) == 0 ? kBase + kWindow * kPageSize : 0);
        if (found != space.pages.end()) address = found->first;
    }
    const auto access = static_cast<Access>(choices_.below(3));
    const Protection need = access == Access::read    ? Protection::read
                            : access == Access::write ? Protection::write
                                                      : Protection::execute;
    const auto page = space.pages.find(address);
    space.space->activate();
    std::uint8_t* at = fake::user_access(address, need);
    Result<> fault;
    for (int i = 0; at == nullptr && fault && i < 2; ++i) {
        fault = space.space->fault(address + choices_.below(kPageSize), access);
        if (fault) at = fake::user_access(address, need);
    }
    if (page == space.pages.end() || !has(page->second.protection, need)) {
        MODEL_CHECK(at == nullptr && !fault && fault.error() == Error::bad_address);
        return;
    }
    const auto expected = model_value(page->second);
    if (!expected) {
        const bool is_bad = page->second.pages->is_source && page->second.index == fake::Source::kBadPage;
        MODEL_CHECK(at == nullptr && !fault && fault.error() == (is_bad ? Error::integrity : Error::bad_address));
        return;
    }
    if (at == nullptr) {
        MODEL_CHECK(!fault && quota_refused(fault.error()));
        return;
    }
    MODEL_CHECK(*at == *expected);
    ModelPage& model = page->second;
    if (model.pages == nullptr && !model.owned) model.owned = true; // zero-filled page of its own
    if (access != Access::write) return;
    const auto value = static_cast<std::uint8_t>(choices_.below(256));
    *at = value;
    if (model.is_private) {
        model.owned = true;
        model.value = value;
    } else {
        model.pages->values[model.index] = value;
    }
}

void SpaceDriver::fork() {
    if (spaces_.size() >= 4) return;
    Space& parent = random_space();
    auto child = std::make_unique<Space>();
    child->payer = std::make_unique<fake::CountingPayer>();
    if (choices_.below(4) == 0) child->payer->set_limit(choices_.below(40 * kPageSize));
    auto space = parent.space->clone_copy_on_write(*child->payer);
    if (!space) {
        MODEL_CHECK(space.error() == Error::quota_exceeded);
        MODEL_CHECK(child->payer->used() == 0);
        return;
    }
    child->payer->set_limit(~0ull);
    child->space = *space;
    child->space->enter(*set_);
    child->space->settle();
    child->pages = parent.pages;
    spaces_.push_back(std::move(child));
}

bool SpaceDriver::is_own_memory(const Space& space, std::uint64_t address, std::uint64_t count, Protection needed) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto page = space.pages.find(address + i * kPageSize);
        if (page == space.pages.end() || page->second.pages != nullptr) return false;
        if ((page->second.protection & needed) != needed) return false;
    }
    return true;
}

// Pages go from one space to another, which may be the same, or back to nobody. One that is refused may have lain in two
// areas, of which the model knows nothing.
void SpaceDriver::grant() {
    Space& from = random_space();
    Space& to = random_space();
    const std::uint64_t address = random_address(), target = random_address();
    const auto count = static_cast<std::uint32_t>(1 + choices_.below(6));
    const PageMode mode = choices_.below(2) == 0 ? PageMode::moved : PageMode::frozen;
    constexpr Protection kReadWrite = Protection::read | Protection::write;
    const std::uint64_t before = from.payer->used();
    auto granted = from.space->grant(address, count, mode);
    if (!is_own_memory(from, address, count, mode == PageMode::moved ? kReadWrite : Protection::read))
        MODEL_CHECK(!granted);
    if (!granted) {
        MODEL_CHECK(granted.error() == Error::bad_address || quota_refused(granted.error()));
        MODEL_CHECK(from.payer->used() == before);
        return;
    }
    from.has_granted = true;
    std::vector<ModelPage> brought;
    for (std::uint32_t i = 0; i < count; ++i) {
        ModelPage& page = from.pages[address + i * kPageSize];
        brought.push_back(page);
        MODEL_CHECK(((*granted)->frames[i] != mm::Grant::kUntouched) == page.owned);
        if (mode == PageMode::frozen) continue;
        page.owned = false;
        page.value = 0;
    }
    if (choices_.below(4) == 0) return; // nobody takes it
    const auto accepted = to.space->accept(**granted, target);
    if (!is_own_memory(to, target, count, kReadWrite)) MODEL_CHECK(!accepted);
    if (!accepted) {
        MODEL_CHECK(accepted.error() == Error::bad_address || quota_refused(accepted.error()));
        return;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        ModelPage& page = to.pages[target + i * kPageSize];
        page.owned = brought[i].owned;
        page.value = brought[i].owned ? brought[i].value : 0;
    }
}

void SpaceDriver::end_space() {
    if (spaces_.size() < 2 || choices_.below(2) == 0) return;
    const std::size_t index = choices_.below(spaces_.size());
    spaces_[index]->space.reset();
    MODEL_CHECK(spaces_[index]->payer->used() == 0);
    spaces_.erase(spaces_.begin() + static_cast<std::ptrdiff_t>(index));
}

void SpaceDriver::change_pages() {
    ModelPages& object = *objects_[choices_.below(3)];
    switch (choices_.below(3)) {
    case 0: {
        const std::uint64_t first = choices_.below(kObjectPages), count = choices_.below(6);
        object.pages->discard(first, count);
        for (std::uint64_t i = first; i < first + count && i < object.values.size(); ++i)
            object.values[i] = 0;
        break;
    }
    case 1: {
        const std::uint64_t count = choices_.below(kObjectPages + 1);
        MODEL_CHECK(object.pages->resize(count * kPageSize).has_value());
        object.values.resize(count);
        break;
    }
    case 2: {
        const std::uint64_t index = choices_.below(kObjectPages);
        const auto value = static_cast<std::uint8_t>(choices_.below(256));
        const auto done = object.pages->write(index * kPageSize, &value, 1);
        MODEL_CHECK(done.has_value() == (index < object.values.size()));
        if (done) object.values[index] = value;
        break;
    }
    }
}

void SpaceDriver::revoke() {
    Ref<fake::Authority>& authority = authorities_[choices_.below(std::size(authorities_))];
    if (authority->end(choices_.below(2) == 0 ? mm::Authority::State::dead : mm::Authority::State::closed))
        set_->notice();
    for (auto& space : spaces_) {
        MODEL_CHECK(space->space->is_settled());
        std::erase_if(space->pages, [&](const auto& page) { return page.second.authority == authority; });
    }
    Space& space = random_space();
    mm::MapOptions options;
    options.authority = authority;
    const auto late =
        space.space->map(objects_[0]->pages, 0, kPageSize, Protection::read, mm::Sharing::shared, options);
    MODEL_CHECK(!late && (late.error() == Error::revoked || quota_refused(late.error())));
    authority = fake::Authority::create();
}

void SpaceDriver::set_limit() {
    limited_ = choices_.below(2) == 0;
    for (auto& space : spaces_)
        space->payer->set_limit(limited_ ? space->payer->used() + choices_.below(6 * kPageSize) : ~0ull);
}

void SpaceDriver::check_space(Space& space) {
    MODEL_CHECK(space.space->is_consistent());
    // Areas cover exactly the model's pages; charges are exact.
    std::uint64_t areas = 0, mapped = 0;
    for (std::uint64_t from = 0;;) {
        const auto area = space.space->next_area(from);
        if (!area) break;
        ++areas;
        for (std::uint64_t at = area->start; at < area->end; at += kPageSize) {
            const auto page = space.pages.find(at);
            MODEL_CHECK(page != space.pages.end());
            MODEL_CHECK(page->second.protection == area->protection);
            MODEL_CHECK((page->second.pages == nullptr) == area->is_anonymous);
            mapped += kPageSize;
        }
        from = area->end;
    }
    MODEL_CHECK(mapped == space.pages.size() * kPageSize);
    MODEL_CHECK(space.space->usage().mapped_bytes == mapped);
    std::uint64_t pages = 0;
    for (const auto& [at, page] : space.pages)
        if (page.whole || page.owned) ++pages;
    space.space->activate();
    const std::uint64_t expected = mm::cost_of<AddressSpace> + areas * mm::cost_of<mm::Area> +
                                   (pages + fake::table_count()) * kPageSize +
                                   (space.has_granted ? mm::cost_of<mm::GrantRoll> : 0);
    MODEL_CHECK(space.payer->used() == expected);
}

void SpaceDriver::check_everything() {
    for (auto& space : spaces_)
        check_space(*space);
    for (auto& object : objects_) {
        for (std::uint64_t i = 0; i < object->values.size(); ++i) {
            std::uint8_t value = 0;
            const auto done = object->pages->read(i * kPageSize, &value, 1);
            if (object->is_source && i == fake::Source::kBadPage) continue;
            MODEL_CHECK(done && value == object->values[i]);
        }
    }
}

} // namespace aios::test
