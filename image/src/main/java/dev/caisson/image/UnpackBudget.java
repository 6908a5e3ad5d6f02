package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;

/// Counts what one image has used of its [UnpackLimits], over all layers: bytes, files, opened directories, and
/// heap for names. A small image gets little of each, so that a few kilobytes cannot keep a host busy; a blob
/// that is listed again adds nothing to what the image may use.
final class UnpackBudget {
    /// No archive of real files needs fewer compressed bytes for one.
    private static final int PACKED_BYTES_OF_AN_ENTRY = 24;

    private static final int ENTRY_GRACE = 4_000;
    /// Directories that are opened for one entry, on average.
    private static final int STEPS_OF_AN_ENTRY = 10;

    private static final long LEAST_HEAP = 16L << 20;
    private static final long MOST_HEAP = 256L << 20;
    /// Objects around a remembered name, in bytes.
    private static final int NAME_OVERHEAD = 160;

    private final UnpackLimits limits;
    private final long mostBytes;
    private final long mostEntries;
    private final long mostHeap = Math.clamp(Runtime.getRuntime().maxMemory() / 4, LEAST_HEAP, MOST_HEAP);
    private long bytes;
    private long content;
    private long entries;
    private long steps;
    private long heap;

    /// @param packed bytes of all layers as they lie there, each blob counted once
    UnpackBudget(UnpackLimits limits, long packed) {
        this.limits = limits;
        this.mostBytes = Math.min(limits.bytes(), Math.max(limits.ratioGrace(), saturated(packed, limits.ratio())));
        this.mostEntries = Math.min(limits.entries(), Math.max(ENTRY_GRACE, packed / PACKED_BYTES_OF_AN_ENTRY));
    }

    private static long saturated(long count, long factor) {
        return count > Long.MAX_VALUE / factor ? Long.MAX_VALUE : count * factor;
    }

    static UnpackBudget of(PackedImage image) {
        var seen = new HashSet<String>();
        long packed = 0;
        for (PackedImage.PackedLayer layer : image.layers()) {
            packed += seen.add(layer.place()) ? layer.size() : 0;
        }
        return new UnpackBudget(UnpackLimits.DEFAULT, packed);
    }

    UnpackLimits limits() {
        return limits;
    }

    /// Counts bytes that came out of a layer.
    void unpacked(int count) {
        bytes += count;
        if (bytes > mostBytes) {
            throw tooLarge(
                    mostBytes == limits.bytes()
                            ? "has more than " + mostBytes + " bytes"
                            : "grows more than " + limits.ratio() + " times when uncompressed, to over " + mostBytes
                                    + " bytes");
        }
    }

    /// Counts bytes that a file got.
    void spend(long count) {
        content += count;
        if (content > limits.bytes()) {
            throw tooLarge("has more than " + limits.bytes() + " bytes of files");
        }
    }

    /// Returns what was counted so far, but for heap, which [#resume] takes.
    byte[] used() {
        return (bytes + " " + content + " " + entries + " " + steps).getBytes(StandardCharsets.US_ASCII);
    }

    /// Goes on from what the layers below have used.
    /// @throws ImageException STORE_REFUSED if it is not of [#used]
    void resume(byte[] used) {
        String[] numbers = new String(used, StandardCharsets.US_ASCII).split(" ", -1);
        if (numbers.length != 4 || !List.of(numbers).stream().allMatch(number -> number.matches("\\d{1,18}"))) {
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "a layer of the store has an attribute of somebody else's; run 'caisson image prune -a', then pull again");
        }
        bytes = Long.parseLong(numbers[0]);
        content = Long.parseLong(numbers[1]);
        entries = Long.parseLong(numbers[2]);
        steps = Long.parseLong(numbers[3]);
    }

    /// Counts a member of an archive.
    void entry() {
        if (++entries > mostEntries) {
            throw tooLarge("has more than " + mostEntries + " files"
                    + (mostEntries == limits.entries() ? "" : ", too many for its size"));
        }
    }

    /// Counts directories that were opened one by one.
    void steps(int count) {
        steps += count;
        if (steps > mostEntries * STEPS_OF_AN_ENTRY) {
            throw tooLarge("has its files in too many directories, too deep");
        }
    }

    /// Counts names that are remembered from now on.
    void remember(List<String> names) {
        for (String name : names) {
            remember(name);
        }
    }

    void remember(String name) {
        heap += NAME_OVERHEAD + 2L * name.length();
        if (heap > mostHeap) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the image has more names than fit in " + (mostHeap >> 20)
                            + " MiB; it is not unpacked: give the JVM more memory (-Xmx) if it is to be trusted");
        }
    }

    private static ImageException tooLarge(String fault) {
        return new ImageException(Code.TOO_LARGE, "the image " + fault + "; it is not unpacked");
    }
}
