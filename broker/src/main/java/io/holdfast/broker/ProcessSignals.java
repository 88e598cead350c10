package io.holdfast.broker;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Runs something when this process is sent a signal. The JDK has only {@code sun.misc.Signal} for
 * it, since long and also in module {@code jdk.unsupported} of JDK 25; it is asked for by name,
 * because javac warns of each mention and nothing can silence that.
 */
final class ProcessSignals {
  private ProcessSignals() {}

  /**
   * From now on a signal runs this, on a thread of the JDK, in place of what it did before.
   *
   * @param signal without SIG: HUP, TERM
   * @throws IllegalStateException when this JDK cannot, or has the signal for itself
   */
  static void onSignal(String signal, Runnable action) {
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              ProcessSignals.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, args) -> called(proxy, method, args, action));
      signalType
          .getMethod("handle", signalType, handlerType)
          .invoke(null, signalType.getConstructor(String.class).newInstance(signal), handler);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JDK cannot tell of SIG" + signal, e);
    }
  }

  private static Object called(Object proxy, Method method, Object[] args, Runnable action) {
    return switch (method.getName()) {
      case "handle" -> {
        action.run();
        yield null;
      }
      case "equals" -> proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> ProcessSignals.class.getSimpleName();
    };
  }
}
