package dev.caisson.scan.match;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Finds all of many words in bytes in one pass, ASCII letters of either case alike: an Aho-Corasick automaton as a
/// table over the classes of bytes that the words have.
public final class Keywords {
    private static final int ACCEPTS = 0x80000000;

    /// Takes a word's number and the offset behind its last byte.
    @FunctionalInterface
    public interface Hit {
        void at(int word, int end);
    }

    private final byte[] classes = new byte[256];
    private final int[] next;
    private final int[][] found;
    private final int shift;
    private final int longest;

    /// @param words in lower case, not empty; a word's number is its index
    public Keywords(List<byte[]> words) {
        int count = 1;
        int room = 1;
        int most = 0;
        for (byte[] word : words) {
            for (byte b : word) {
                if (classes[b & 0xff] == 0) {
                    classes[b & 0xff] = (byte) count++;
                }
            }
            room += word.length;
            most = Math.max(most, word.length);
        }
        for (int upper = 'A'; upper <= 'Z'; upper++) {
            classes[upper] = classes[upper + 'a' - 'A'];
        }
        longest = most;
        int[][] tree = new int[room][];
        List<List<Integer>> ends = new ArrayList<>();
        int states = grow(words, tree, ends, count);
        connect(tree, ends, count);
        shift = Math.max(1, 32 - Integer.numberOfLeadingZeros(count - 1));
        next = new int[states << shift];
        found = new int[states][];
        for (int state = 0; state < states; state++) {
            found[state] = ends.get(state).stream().mapToInt(Integer::intValue).toArray();
        }
        for (int state = 0; state < states; state++) {
            for (int c = 0; c < count; c++) {
                int to = tree[state][c];
                next[(state << shift) | c] = (to << shift) | (found[to].length > 0 ? ACCEPTS : 0);
            }
        }
    }

    private int grow(List<byte[]> words, int[][] tree, List<List<Integer>> ends, int count) {
        tree[0] = new int[count];
        ends.add(new ArrayList<>());
        int states = 1;
        for (int word = 0; word < words.size(); word++) {
            int state = 0;
            for (byte b : words.get(word)) {
                int c = classes[b & 0xff];
                if (tree[state][c] == 0) {
                    tree[states] = new int[count];
                    ends.add(new ArrayList<>());
                    tree[state][c] = states++;
                }
                state = tree[state][c];
            }
            ends.get(state).add(word);
        }
        return states;
    }

    /// Gives every state its transition on every class, so that the search never goes back.
    private static void connect(int[][] tree, List<List<Integer>> ends, int count) {
        int[] shorter = new int[tree.length];
        var queue = new ArrayDeque<Integer>();
        Arrays.stream(tree[0]).filter(state -> state != 0).forEach(queue::add);
        while (!queue.isEmpty()) {
            int state = queue.remove();
            ends.get(state).addAll(ends.get(shorter[state]));
            for (int c = 0; c < count; c++) {
                int to = tree[state][c];
                if (to == 0) {
                    tree[state][c] = tree[shorter[state]][c];
                } else {
                    shorter[to] = tree[shorter[state]][c];
                    queue.add(to);
                }
            }
        }
    }

    /// Length of the longest word in bytes.
    public int longest() {
        return longest;
    }

    /// Reports the words that end in `bytes` from `from` to `to`; a word that begins before `from` is not found.
    public void search(byte[] bytes, int from, int to, Hit hit) {
        final int[] table = next;
        final byte[] of = classes;
        int state = 0;
        for (int at = from; at < to; at++) {
            state = table[(state & ~ACCEPTS) | of[bytes[at] & 0xff]];
            if (state < 0) {
                for (int word : found[(state & ~ACCEPTS) >>> shift]) {
                    hit.at(word, at + 1);
                }
            }
        }
    }
}
