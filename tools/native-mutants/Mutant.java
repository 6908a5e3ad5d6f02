/// A mistake: `changed` in place of `original`, in a line that is counted from 0. `number` is that of mistakes of this text in
/// the file, from 1 on.
record Mutant(String file, int line, String original, String changed, int number) {
    /// Without the line's number, which every change above it would move.
    String name() {
        return file + " " + original.strip() + " => " + changed.strip() + (number > 1 ? " #" + number : "");
    }
}
