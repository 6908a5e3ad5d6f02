package dev.caisson.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;

/// Signals that are sent to this process. They reach Java by `sun.misc.Signal` of the module jdk.unsupported alone,
/// which
/// the compiler warns of wherever it is named.
final class ProcessSignals {
    private ProcessSignals() {}

    /// Calls `handler` with the signal's number each time that it comes, in a thread of its own.
    ///
    /// @param name without SIG
    static void handle(String name, IntConsumer handler) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> signalHandler = Class.forName("sun.misc.SignalHandler");
            InvocationHandler invocation = (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                    handler.accept((int) signal.getMethod("getNumber").invoke(arguments[0]));
                }
                return null;
            };
            Object instance = Proxy.newProxyInstance(
                    ProcessSignals.class.getClassLoader(), new Class<?>[] {signalHandler}, invocation);
            signal.getMethod("handle", signal, signalHandler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), instance);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK lets nobody handle SIG" + name, e);
        }
    }
}
