package dev.caisson.build;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A list of additions by instructions, linked from the last to the first. The settings after each instruction share
/// what those before it have, so that many take no more memory than their text.
///
/// @param below null for none
record Added<T>(@Nullable Added<T> below, T more) {
    /// Returns all additions, in their order.
    /// @param last null for none
    static <T> List<T> all(@Nullable Added<T> last) {
        var all = new ArrayList<T>();
        for (Added<T> one = last; one != null; one = one.below()) {
            all.add(one.more());
        }
        return all.reversed();
    }
}
