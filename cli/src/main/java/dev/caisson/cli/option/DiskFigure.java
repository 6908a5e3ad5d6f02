package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.spec.BlockDevice;
import java.util.function.Function;

/// A disk and a figure for it, as Docker's options for single disks take them: `/dev/sda:1m`.
///
/// @param option that it was given with
/// @param text as it was given
record DiskFigure(String option, String text, BlockDevice disk, String value) {

    static DiskFigure parse(String option, String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0 || !text.startsWith("/")) {
            throw CommandException.usage(option + " takes a disk and a figure, as /dev/sda:100, not '" + text + "'");
        }
        return new DiskFigure(
                option, text, BlockDevice.at(HostPath.of(text.substring(0, colon))), text.substring(colon + 1));
    }

    /// Returns the figure, read by a function.
    <T> T as(Function<String, T> reading) {
        try {
            return reading.apply(value);
        } catch (NumberFormatException e) {
            throw CommandException.usage(option + " takes a whole number after the disk, not '" + text + "'");
        }
    }
}
