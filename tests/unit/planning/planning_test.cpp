// The planner on three small domains of our own: what it finds is valid, the cheapest where it proves it, and what it
// cannot read is said.
#include <gtest/gtest.h>

#include <random>

#include "runtime/planning/check.hpp"
#include "runtime/planning/search.hpp"

namespace {

using namespace aios::planning;

struct Found {
    Answer answer = Answer::gave_up;
    std::vector<Step> steps;
    std::uint64_t cost = 0;
    std::string flaw;
};

Found solve(const Task& task, Improve improve, std::uint64_t bytes = 1 << 28) {
    Budget budget(std::chrono::seconds(600), bytes);
    Found found;
    const auto made = ground(task, budget);
    if (!made) return found;
    found.answer = search(*made, budget, improve, [&](const FoundPlan& plan) {
        found.steps.clear();
        for (const OperatorId op : plan.operators)
            found.steps.push_back(made->steps[op]);
        const Checked checked = check_plan(task, found.steps);
        found.flaw = checked.flaw;
        found.cost = checked.cost;
        EXPECT_EQ(checked.cost, plan.cost);
    });
    return found;
}

Task task_of(const std::string& domain, const std::string& problem) {
    auto task = parse_task(domain, problem);
    EXPECT_TRUE(task.has_value()) << (task ? "" : task.error().sentence);
    return task ? std::move(*task) : Task();
}

// Couriers carry letters along roads that cost; a courier carries one letter.
const std::string kCouriers =
    R"((define (domain couriers) (:requirements :typing :action-costs :negative-preconditions :equality)
  (:types courier letter - item place) (:predicates (at ?i - item ?p - place) (road ?a ?b - place) (has ?c - courier ?l - letter) (busy ?c - courier))
  (:functions (length ?a ?b - place) - number (total-cost) - number)
  (:action go :parameters (?c - courier ?a ?b - place) :precondition (and (at ?c ?a) (road ?a ?b) (not (= ?a ?b)))
    :effect (and (at ?c ?b) (not (at ?c ?a)) (increase (total-cost) (length ?a ?b))))
  (:action take :parameters (?c - courier ?l - letter ?p - place) :precondition (and (at ?c ?p) (at ?l ?p) (not (busy ?c)))
    :effect (and (has ?c ?l) (busy ?c) (not (at ?l ?p)) (increase (total-cost) 1)))
  (:action give :parameters (?c - courier ?l - letter ?p - place) :precondition (and (at ?c ?p) (has ?c ?l))
    :effect (and (at ?l ?p) (not (has ?c ?l)) (not (busy ?c)) (increase (total-cost) 1)))))";
std::string ring(unsigned places, unsigned letters) {
    std::string objects, init, goal;
    for (unsigned i = 0; i < places; ++i) {
        objects += " p" + std::to_string(i);
        const std::string a = "p" + std::to_string(i), b = "p" + std::to_string((i + 1) % places);
        init += "(road " + a + " " + b + ")(= (length " + a + " " + b + ") " + std::to_string(i % 3 + 1) + ")";
    }
    objects += " - place c - courier";
    for (unsigned i = 0; i < letters; ++i) {
        objects += " l" + std::to_string(i);
        init += "(at l" + std::to_string(i) + " p" + std::to_string(i * 7 % places) + ")";
        goal += "(at l" + std::to_string(i) + " p" + std::to_string((i * 5 + 3) % places) + ")";
    }
    return "(define (problem ring) (:domain couriers) (:objects" + objects + (letters ? " - letter" : "") +
           ") (:init (at c p0) (= (total-cost) 0) " + init + ") (:goal (and " + goal +
           ")) (:metric minimize (total-cost)))";
}

TEST(Planner, FindsValidPlansAndProvesTheCheapest) {
    const Task small = task_of(kCouriers, ring(4, 2));
    const Found best = solve(small, Improve::until_budget_ends);
    EXPECT_EQ(best.answer, Answer::found);
    EXPECT_EQ(best.flaw, "");
    // l0 from p0 to p3: take, 1 + 2 + 3, give; then on to l1, which lies there, and to its goal p0: take, 1, give.
    EXPECT_EQ(best.cost, 2u + 6u + 2u + 1u);
    for (const auto& [places, letters] : {std::pair(10u, 6u), {30u, 20u}}) {
        const Found found = solve(task_of(kCouriers, ring(places, letters)), Improve::no);
        EXPECT_EQ(found.answer, Answer::found);
        EXPECT_EQ(found.flaw, "");
        EXPECT_GE(found.steps.size(), letters * 2);
    }
}

// Lamps in a row: pressing one turns it and needs its neighbour dark. Negative goals and preconditions.
const std::string kLamps = R"((define (domain lamps) (:predicates (lit ?x) (next ?x ?y))
  (:action light :parameters (?x ?y) :precondition (and (next ?x ?y) (not (lit ?x)) (not (lit ?y))) :effect (lit ?x))
  (:action douse :parameters (?x ?y) :precondition (and (next ?x ?y) (lit ?x) (not (lit ?y))) :effect (not (lit ?x)))))";

TEST(Planner, NegativeConditions) {
    const Task task =
        task_of(kLamps, "(define (problem l) (:domain lamps) (:objects a b c d) (:init (next a b) (next b c) (next c "
                        "d) (lit b) (lit c)) (:goal (and (lit a) (not (lit b)) (not (lit c)))))");
    const Found found = solve(task, Improve::until_budget_ends);
    EXPECT_EQ(found.answer, Answer::found);
    EXPECT_EQ(found.flaw, "");
    EXPECT_EQ(found.cost, 3u);
    // The last lamp has no neighbour, so it cannot be lit; and one that is lit at first stays.
    EXPECT_EQ(
        solve(task_of(kLamps, "(define (problem l) (:domain lamps) (:objects a b) (:init (next a b)) (:goal (lit b)))"),
              Improve::no)
            .answer,
        Answer::no_plan);
    EXPECT_EQ(
        solve(task_of(kLamps,
                      "(define (problem l) (:domain lamps) (:objects a b) (:init (next a b) (lit b)) (:goal (lit a)))"),
              Improve::no)
            .answer,
        Answer::no_plan);
}

// A sliding puzzle on a small grid, so large that a random walk does not solve it.
const std::string kSlide = R"((define (domain slide) (:requirements :typing) (:types tile cell)
  (:predicates (on ?t - tile ?c - cell) (empty ?c - cell) (beside ?a ?b - cell))
  (:action move :parameters (?t - tile ?a ?b - cell) :precondition (and (on ?t ?a) (empty ?b) (beside ?a ?b)) :effect (and (on ?t ?b) (empty ?a) (not (on ?t ?a)) (not (empty ?b))))))";

TEST(Planner, SlidingPuzzlesAndUnsolvableOnes) {
    std::mt19937 random(1);
    for (int round = 0; round < 3; ++round) {
        std::vector<int> cells(9);
        for (int i = 0; i < 9; ++i)
            cells[static_cast<std::size_t>(i)] = i;
        unsigned hole = 0;
        for (int i = 0; i < 200; ++i) { // a walk of the hole, so that there is a way back
            const unsigned x = hole % 3, y = hole / 3, way = random() % 4;
            const unsigned nx = x + (way == 0) - (way == 1), ny = y + (way == 2) - (way == 3);
            if (nx > 2 || ny > 2) continue;
            std::swap(cells[hole], cells[ny * 3 + nx]);
            hole = ny * 3 + nx;
        }
        auto problem = [&] {
            std::string init, goal;
            for (unsigned i = 0; i < 9; ++i) {
                const std::string cell = "c" + std::to_string(i);
                init += cells[i] == 0 ? "(empty " + cell + ")" : "(on t" + std::to_string(cells[i]) + " " + cell + ")";
                if (i != 0) goal += "(on t" + std::to_string(i) + " " + cell + ")";
                if (i % 3 != 2)
                    init += "(beside " + cell + " c" + std::to_string(i + 1) + ")(beside c" + std::to_string(i + 1) +
                            " " + cell + ")";
                if (i < 6)
                    init += "(beside " + cell + " c" + std::to_string(i + 3) + ")(beside c" + std::to_string(i + 3) +
                            " " + cell + ")";
            }
            return "(define (problem s) (:domain slide) (:objects t1 t2 t3 t4 t5 t6 t7 t8 - tile c0 c1 c2 c3 c4 c5 c6 "
                   "c7 c8 - cell) (:init " +
                   init + ") (:goal (and " + goal + ")))";
        };
        const Found found = solve(task_of(kSlide, problem()), Improve::no);
        EXPECT_EQ(found.answer, Answer::found);
        EXPECT_EQ(found.flaw, "");
        if (round != 0) continue;
        const unsigned a = cells[0] == 0 ? 2 : 0, b = cells[1] == 0 ? 2 : 1;
        std::swap(cells[a], cells[b]); // two tiles exchanged: half of all orders are out of reach
        EXPECT_EQ(solve(task_of(kSlide, problem()), Improve::no).answer, Answer::no_plan);
    }
}

TEST(Planner, KeepsToItsBudget) {
    const Task task = task_of(kCouriers, ring(30, 20));
    EXPECT_EQ(solve(task, Improve::no, 20'000).answer, Answer::gave_up);
    Budget none(std::chrono::milliseconds(-1), 1 << 28);
    EXPECT_FALSE(ground(task, none).has_value() &&
                 search(*ground(task, none), none, Improve::no, [](const FoundPlan&) {}) == Answer::found);
}

TEST(Planner, TheValidatorSeesEachMistake) {
    const Task task = task_of(kCouriers, ring(4, 1));
    const auto flaw = [&](const char* text) {
        const auto plan = parse_plan(task, text);
        return plan ? check_plan(task, *plan).flaw : plan.error().sentence;
    };
    const char* right = "(take c l0 p0)\n(go c p0 p1)\n(go c p1 p2) ; on\n(go c p2 p3)\n(give c l0 p3)";
    EXPECT_EQ(flaw(right), "");
    EXPECT_NE(flaw("(take c l0 p0)").find("the goal is not reached"), std::string::npos);
    EXPECT_NE(flaw("(go c p1 p2)").find("step 1: (at c p1) does not hold"), std::string::npos);
    EXPECT_NE(flaw("(take c l0 p0)(take c l0 p0)").find("step 2"), std::string::npos);
    EXPECT_NE(flaw("(go c p0)").find("takes 3 objects"), std::string::npos);
    EXPECT_NE(flaw("(go l0 p0 p1)").find("does not take l0"), std::string::npos);
    EXPECT_NE(flaw("(fly c p0 p1)").find("fly"), std::string::npos);
}

TEST(Pddl, SaysWhatItCannotRead) {
    const std::string good = "(define (problem p) (:domain d) (:objects a) (:init) (:goal (q a)))";
    const std::pair<std::string, const char*> cases[] = {
        {"(define (domain d)", "does not close"},
        {"(define (domain d)) x", "behind its end"},
        {"", "ends before"},
        {")", "closes nothing"},
        {std::string(1000, '('), "nested too deeply"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a) :effect (forall (?b) (q ?b))))",
         "'forall'"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a) :precondition (or (q ?a)) :effect (q "
         "?a)))",
         "'or'"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a) :effect (r ?a)))", "not declared"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a) :effect (q ?a ?a)))", "another number"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a) :effect (q ?b)))", "?b"},
        {"(define (domain d) (:predicates (q ?x)) (:action x :parameters (?a - t) :effect (q ?a)))", "type t"},
        {"(define (domain d) (:predicates (q ?x)) (:durative-action x))", ":durative-action"},
        {"(define (domain d) (:predicates (q ?x) (q ?y)))", "twice"},
    };
    for (const auto& [domain, says] : cases) {
        const auto task = parse_task(domain, good);
        ASSERT_FALSE(task.has_value()) << domain;
        EXPECT_NE(task.error().sentence.find(says), std::string::npos) << domain << ": " << task.error().sentence;
    }
    EXPECT_FALSE(parse_task("(define (domain d) (:predicates (q ?x)))", "(define (problem p) (:objects a) (:init))")
                     .has_value());
}

} // namespace
