package dev.caisson.watch;

import dev.caisson.linux.SeccompListener;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.SeccompData;

/// A denied call whose kind is new, until it is answered. Its owner locks.
final class AskedCall {
    final SeccompListener by;
    final SeccompListener.Call call;
    final SeccompData data;
    final Action action;
    boolean answered;

    AskedCall(SeccompListener by, SeccompListener.Call call, SeccompData data, Action action) {
        this.by = by;
        this.call = call;
        this.data = data;
        this.action = action;
    }
}
