package dev.caisson.gate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;

/// Hides values in what a server sends: each byte of one, in any of its forms, becomes a star, so that lengths stay.
/// Bytes that may begin a value wait for what follows.
final class Mask implements Body.Sink {
    private static final byte STAR = '*';

    private record Place(int from, int to) {}

    private final AnswerValues values;
    private final Body.Sink next;
    private byte[] held = new byte[0];
    private int count;

    Mask(AnswerValues values, Body.Sink next) {
        this.values = values;
        this.next = next;
    }

    /// Hides what stands in a text that is there as a whole.
    static byte[] whole(AnswerValues values, byte[] bytes) {
        hide(values, bytes, bytes.length, true);
        return bytes;
    }

    @Override
    public void take(byte[] bytes, int length) throws IOException {
        if (held.length < count + length) {
            held = Arrays.copyOf(held, count + length);
        }
        System.arraycopy(bytes, 0, held, count, length);
        count += length;
        pass(hide(values, held, count, false));
    }

    /// Passes on what is left when nothing follows.
    void finish() throws IOException {
        hide(values, held, count, true);
        pass(count);
    }

    private void pass(int ready) throws IOException {
        if (ready > 0) {
            next.take(held, ready);
            System.arraycopy(held, ready, held, 0, count - ready);
            count -= ready;
        }
    }

    /// @return how many bytes are ready
    private static int hide(AnswerValues values, byte[] bytes, int length, boolean last) {
        var found = new ArrayList<Place>();
        int ready = values.search(bytes, 0, length, (_, _, from, to) -> found.add(new Place(from, to)));
        for (Place place : found) {
            if (last || place.from() < ready) {
                Arrays.fill(bytes, place.from(), place.to(), STAR);
            }
        }
        return last ? length : ready;
    }
}
