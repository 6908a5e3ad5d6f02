package dev.caisson.build;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What instructions have added, one above the other: the settings after each instruction share what those
/// before it have, so that many take no more memory than their text.
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
