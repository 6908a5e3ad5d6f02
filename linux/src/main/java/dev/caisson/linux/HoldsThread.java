package dev.caisson.linux;

/// A stream whose calls wait in native code, and so hold the carrier of a virtual thread: give it a platform thread.
public interface HoldsThread {}
