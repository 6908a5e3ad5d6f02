package dev.caisson.error;

import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An argument that no call of this kind accepts: null, or a value outside of what the type allows.
public final class ArgumentException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int BAD_REQUEST = 400;

    private ArgumentException(String code, String sentence) {
        super(code, sentence);
    }

    /// Returns an error about an argument of the caller's.
    /// @param sentence what is wrong, with the value, then what to do
    public static ArgumentException invalid(String sentence) {
        return new ArgumentException("ARGUMENT_INVALID", sentence);
    }

    /// Returns `value`, or refuses null.
    /// @param name the argument's name, as it stands in the documentation
    public static <T> T present(@Nullable T value, String name) {
        if (value == null) {
            throw new ArgumentException("ARGUMENT_MISSING", name + " is null: pass a value");
        }
        return value;
    }

    /// Returns a copy of `elements`, or refuses one that is null.
    /// @param name the argument's name, as it stands in the documentation
    public static <T> List<T> allPresent(@Nullable Iterable<? extends @Nullable T> elements, String name) {
        var all = new ArrayList<T>();
        for (T element : present(elements, name)) {
            all.add(present(element, "an element of " + name));
        }
        return List.copyOf(all);
    }

    @Override
    public int httpStatus() {
        return BAD_REQUEST;
    }
}
