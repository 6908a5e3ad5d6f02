package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Egress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// The value of `--egress`.
public final class EgressText {
    /// Placeholder of the value in help.
    public static final String LABEL = "all|none|FILE|NAME:PORT,…";

    private static final String OPTION = "--egress";
    private static final int MOST_BYTES = 1 << 20;

    private EgressText() {}

    /// Reads `all`, `none`, destinations with commas between them, or a file of them that is named by a path with `/`
    /// or `.` at its beginning.
    ///
    /// @throws CommandException OPTION_REFUSED
    public static Egress parse(String text) {
        try {
            return text.startsWith("/") || text.startsWith(".") ? file(text) : Egress.parse(text);
        } catch (ArgumentException e) {
            throw CommandException.refused(OPTION, e.sentence());
        }
    }

    private static Egress file(String path) {
        try {
            return Egress.ofLines(new String(NamedFile.read(path, MOST_BYTES), StandardCharsets.UTF_8).lines());
        } catch (IOException e) {
            throw CommandException.refused(
                    OPTION + " " + path, "the file cannot be read (" + NamedFile.reason(e) + ")");
        }
    }
}
