package dev.caisson.cli.text;

import java.io.PrintWriter;
import java.util.List;

/// The things of one kind that a `prune` removed.
///
/// @param title of the list, as "Deleted Volumes"
/// @param bytes that were freed
/// @param failed whether something stayed that should have gone
public record Pruned(String title, List<String> names, long bytes, boolean failed) {
    private static final int DIGITS = 4;
    private static final int FAILED = 1;

    /// The removal, once its options are known to be right.
    public interface Removal {
        Pruned run() throws InterruptedException;
    }

    public Pruned {
        names = List.copyOf(names);
    }

    public Pruned(String title, List<String> names, long bytes) {
        this(title, names, bytes, false);
    }

    public void printNames(PrintWriter out) {
        if (!names.isEmpty()) {
            out.println(title + ":");
            names.forEach(out::println);
            out.println();
        }
    }

    public static void printSpace(PrintWriter out, long bytes) {
        out.println("Total reclaimed space: " + SizeText.of(bytes, DIGITS));
    }

    /// Prints both.
    /// @return the exit status
    public int print(PrintWriter out) {
        printNames(out);
        printSpace(out, bytes);
        return status();
    }

    public int status() {
        return failed ? FAILED : 0;
    }
}
