package dev.caisson.scan;

import java.util.ArrayList;
import java.util.List;

/// A sink that keeps what it is given.
final class Collected implements ScanSink {
    final List<Leak> leaks = new ArrayList<>();
    final List<String> skipped = new ArrayList<>();

    @Override
    public void found(Leak leak) {
        leaks.add(leak);
    }

    @Override
    public void skipped(String source, String why) {
        skipped.add(source + ": " + why);
    }

    List<String> places() {
        return leaks.stream().map(leak -> leak.place().toString()).sorted().toList();
    }
}
