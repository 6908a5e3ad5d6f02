package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/// The keys that leave a container running whose terminal is attached, as Docker's `--detach-keys`.
public final class DetachKeys {
    public static final String USUAL = "ctrl-p,ctrl-q";

    private static final String NAMED = "@[\\]^_";

    private final byte[] keys;
    private int seen;

    private DetachKeys(byte... keys) {
        this.keys = keys;
    }

    /// Reads keys with commas between them, each a character or `ctrl-` with a letter or one of `@[\]^_`; none at all
    /// switch this off.
    public static DetachKeys parse(String text) {
        if (text.isEmpty()) {
            return new DetachKeys();
        }
        var keys = new ByteArrayOutputStream();
        for (String key : text.split(",", -1)) {
            keys.write(key(key, text));
        }
        return new DetachKeys(keys.toByteArray());
    }

    private static int key(String key, String all) {
        if (key.length() == 1 && key.charAt(0) < 128) {
            return key.charAt(0);
        }
        if (key.startsWith("ctrl-") && key.length() == 6) {
            char letter = key.charAt(5);
            if (letter >= 'a' && letter <= 'z') {
                return letter - 'a' + 1;
            }
            if (NAMED.indexOf(letter) >= 0) {
                return letter - '@';
            }
        }
        throw CommandException.usage(
                "--detach-keys takes characters and ctrl-LETTER with commas between them, not '" + all + "'");
    }

    /// Input to pass on, and whether the keys were pressed after it.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Input(byte[] bytes, boolean detached) {}

    /// Takes what was typed. The beginning of the keys is held back until it is clear that they are something else.
    public Input take(byte[] typed, int count) {
        var out = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            if (keys.length == 0) {
                out.write(typed[i]);
            } else if (typed[i] == keys[seen]) {
                if (++seen == keys.length) {
                    seen = 0;
                    return new Input(out.toByteArray(), true);
                }
            } else {
                out.writeBytes(Arrays.copyOf(keys, seen));
                seen = typed[i] == keys[0] ? 1 : 0;
                if (seen == 0) {
                    out.write(typed[i]);
                } else if (keys.length == 1) {
                    seen = 0;
                    return new Input(out.toByteArray(), true);
                }
            }
        }
        return new Input(out.toByteArray(), false);
    }
}
