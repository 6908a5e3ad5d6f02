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

    /// Help of the option that has greetings looked at.
    public static final String SNI_HELP =
            "On port 443 of the names of --egress, pass on only TLS whose greeting has that name; QUIC is refused.";

    private static final String OPTION = "--egress";
    private static final String SNI = "--egress-sni";
    private static final int MOST_BYTES = 1 << 20;
    /// Editors of Windows write it, and nobody sees it.
    private static final String BYTE_ORDER_MARK = "\uFEFF";

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

    /// Reads it, and has names with port 443 reached by their greeting if that is wanted.
    ///
    /// @throws CommandException OPTION_REFUSED
    public static Egress parse(String text, boolean sni) {
        Egress egress = parse(text);
        try {
            return sni ? egress.greeted() : egress;
        } catch (ArgumentException e) {
            throw CommandException.refused(SNI, e.sentence());
        }
    }

    /// Returns the refusal of the option without a list.
    public static CommandException withoutList() {
        return CommandException.refused(SNI, "there is no list of names: give --egress NAME:443 too");
    }

    private static Egress file(String path) {
        try {
            String text = new String(NamedFile.read(path, MOST_BYTES), StandardCharsets.UTF_8);
            return Egress.ofLines(
                    (text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text).lines());
        } catch (IOException e) {
            throw CommandException.refused(
                    OPTION + " " + path, "the file cannot be read (" + NamedFile.reason(e) + ")");
        }
    }
}
