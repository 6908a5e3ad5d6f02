package dev.caisson.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Output in memory, as much as the engine's budget has room for. It grows by pieces, so that growing copies nothing
/// and what is taken from the budget is what the heap holds.
final class CapturedBytes implements OutputPump.Sink {
    private static final int FIRST_PIECE = 1 << 10;
    private static final int LARGEST_PIECE = 256 << 10;

    private final CaptureBudget budget;
    private final Runnable overBudget;
    private final IntFunction<byte[]> heap;
    private final List<byte[]> pieces = new ArrayList<>();
    private long taken;
    private int count;
    private int inLast;
    private boolean full;
    private RunResult.@Nullable Captured captured;

    /// @param overBudget called when there is no room left; what comes later is dropped
    CapturedBytes(CaptureBudget budget, Runnable overBudget) {
        this(budget, overBudget, byte[]::new);
    }

    /// @param heap gives memory of a size
    CapturedBytes(CaptureBudget budget, Runnable overBudget, IntFunction<byte[]> heap) {
        this.budget = budget;
        this.overBudget = overBudget;
        this.heap = heap;
    }

    @Override
    public void accept(byte[] bytes, int length) {
        if (!add(bytes, length)) {
            overBudget.run();
        }
    }

    private synchronized boolean add(byte[] bytes, int length) {
        for (int done = 0; done < length && !full; ) {
            if (pieces.isEmpty() || inLast == pieces.getLast().length) {
                full = !grow();
                continue;
            }
            byte[] last = pieces.getLast();
            int part = Math.min(length - done, last.length - inLast);
            System.arraycopy(bytes, done, last, inLast, part);
            inLast += part;
            count += part;
            done += part;
        }
        return !full;
    }

    private boolean grow() {
        int size = pieces.isEmpty() ? FIRST_PIECE : Math.min(LARGEST_PIECE, 2 * pieces.getLast().length);
        if (count > Integer.MAX_VALUE - 2 * LARGEST_PIECE || !budget.take(size)) {
            return false;
        }
        try {
            pieces.add(heap.apply(size));
        } catch (OutOfMemoryError e) { // a budget that is more than the heap has left: the run ends as over it
            budget.giveBack(size);
            return false;
        }
        taken += size;
        inLast = 0;
        return true;
    }

    /// Returns what was captured, which is the caller's from then on. Nothing is captured any more.
    synchronized RunResult.Captured captured() {
        RunResult.Captured known = captured;
        if (known == null) {
            known = new RunResult.Captured(joined());
            captured = known;
        }
        return known;
    }

    /// Lets go of the pieces, so that the copy that the result makes takes their place in the heap.
    private byte[] joined() {
        full = true;
        byte[] all = new byte[count];
        int at = 0;
        for (byte[] piece : pieces) {
            int length = Math.min(piece.length, count - at);
            System.arraycopy(piece, 0, all, at, length);
            at += length;
        }
        pieces.clear();
        return all;
    }

    /// Gives its memory back.
    synchronized void release() {
        full = true;
        pieces.clear();
        captured = null;
        count = 0;
        budget.giveBack(taken);
        taken = 0;
    }
}
