package dev.caisson.cli.caller;

import dev.caisson.error.CaissonException;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/// Does the same with each of several names, as Docker's commands do: a name with which that fails is told, and the
/// rest is done.
public final class EachName {
    private static final int SOME_FAILED = 1;

    private EachName() {}

    /// The act for one name.
    @FunctionalInterface
    public interface Act<X extends Exception> {
        /// Does it.
        /// @throws CaissonException if it did not work
        void on(String name) throws X;
    }

    /// Returns the exit status: 1 if it failed with one.
    public static <X extends Exception> int act(List<String> names, PrintWriter err, Act<X> act) throws X {
        return weighed(names, err, _ -> Weight.FAILURE, act);
    }

    /// How much a problem with one name counts.
    public enum Weight {
        FAILURE,
        /// It is shown, and the exit status stays.
        REMARK,
        NOTHING
    }

    /// The same; `isNoFailure` is true of what is passed over without a word.
    public static <X extends Exception> int act(
            List<String> names, PrintWriter err, Predicate<CaissonException> isNoFailure, Act<X> act) throws X {
        return weighed(names, err, e -> isNoFailure.test(e) ? Weight.NOTHING : Weight.FAILURE, act);
    }

    /// The same, where a problem may be less than a failure.
    public static <X extends Exception> int weighed(
            List<String> names, PrintWriter err, Function<CaissonException, Weight> weight, Act<X> act) throws X {
        int status = 0;
        for (String name : names) {
            try {
                act.on(name);
            } catch (CaissonException e) {
                Weight found = weight.apply(e);
                if (found != Weight.NOTHING) {
                    err.println(ErrorLine.of(e));
                }
                if (found == Weight.FAILURE) {
                    status = SOME_FAILED;
                }
            }
        }
        return status;
    }
}
