/// A mistake: `changed` in place of `original`, in a line that is counted from 0.
record Mutant(String file, int line, String original, String changed) {
    /// Without the line's number, which every change above it would move.
    String name() {
        return file + " " + original.strip() + " => " + changed.strip();
    }
}
