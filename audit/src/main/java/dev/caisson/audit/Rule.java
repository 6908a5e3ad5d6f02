package dev.caisson.audit;

import java.util.List;
import java.util.function.Function;

/// A check with the function that judges one kind of subject by it.
record Rule<T>(Check check, Function<T, List<Verdict>> judge) {
    static <T> Rule<T> of(String checkName, Function<T, List<Verdict>> judge) {
        return new Rule<>(Checks.named(checkName), judge);
    }
}
