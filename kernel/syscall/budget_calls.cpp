// Calls about budgets and holds. See call.hpp; what they promise is in docs/design/quota.md.
#include "kernel/quota/hold.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

namespace {

constexpr Rights kBudgetRights = rights::charge | rights::inspect | rights::derive | rights::transfer;

// Amounts of spent resources alone. bad_address; bad_argument: of a held one too; what understood() refuses.
Result<SpentAmounts> read_spent(UserIn<ResourceAmounts> user) {
    const ResourceAmounts said = TRY(user.read());
    const ResourceAmounts amounts = TRY(understood(said));
    if (has_held_part(amounts)) return fail(Error::bad_argument);
    return spent_part(amounts);
}

} // namespace

Answer agent_budget(Call& call, Handle) {
    TRY(call.check_self());
    Ref<Budget> budget = TRY(Budget::create(call.quota(), call.agent.audit(), call.agent.id()));
    call.record->detail[0] = budget->id();
    return call.give(std::move(budget), kBudgetRights);
}

// The hold is a part of what the budget's capability allows: it is derived from it, and goes where that may go.
Answer budget_hold(Call& call, Handle, UserIn<ResourceAmounts> user_amounts) {
    const SpentAmounts amounts = TRY(read_spent(user_amounts));
    if (amounts.is_nothing()) return fail(Error::bad_argument);
    const Ref<Hold> hold = TRY(Hold::create(call.quota()));
    const Rights rights = (call.first.rights & (rights::derive | rights::transfer)) | rights::charge;
    const Handle handle = TRY(call.agent.table().insert_new(hold, rights, call.first.node));
    if (const auto opened = hold->open(call.object<Budget>(), amounts); !opened) {
        (void)call.agent.table().close(handle);
        return fail(opened.error());
    }
    return handle;
}

Answer hold_settle(Call& call, Handle, UserIn<ResourceAmounts> user_settled, UserIn<ResourceAmounts> user_uncertain) {
    const SpentAmounts settled = TRY(read_spent(user_settled));
    const SpentAmounts uncertain = user_uncertain.is_null() ? SpentAmounts{} : TRY(read_spent(user_uncertain));
    TRY(call.object<Hold>().settle(settled, uncertain));
    return 0;
}

Answer budget_charge(Call& call, Handle, UserIn<ResourceAmounts> user_amounts) {
    const SpentAmounts amounts = TRY(read_spent(user_amounts));
    call.object<Budget>().charge(amounts);
    return 0;
}

Answer budget_info(Call& call, Handle, UserInOut<BudgetInfo> out) {
    TRY(out.out().write(call.object<Budget>().info()));
    return 0;
}

} // namespace aios::syscall::calls
