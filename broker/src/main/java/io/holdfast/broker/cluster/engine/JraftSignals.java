package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.core.NodeImpl;
import java.lang.reflect.Method;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the signal that JRaft takes when its first node is made: SIGUSR2, for which it writes
 * files into the working directory, and which the JVM itself uses to stop threads that it samples.
 * By reflection, as the JDK's class for it is not to be compiled against.
 */
final class JraftSignals {
  private static final Logger LOG = LoggerFactory.getLogger(JraftSignals.class);
  private static final String SIGNAL = "USR2";

  private static boolean isKept;

  private JraftSignals() {}

  /** Has JRaft's class begin, and the signal be whose it was; once in a process. */
  static synchronized void keep() {
    if (isKept) {
      return;
    }
    isKept = true;
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Method handle = signalType.getMethod("handle", signalType, handlerType);
      Object signal = signalType.getConstructor(String.class).newInstance(SIGNAL);
      Object before = handle.invoke(null, signal, handlerType.getField("SIG_IGN").get(null));
      try {
        Class.forName(NodeImpl.class.getName(), true, NodeImpl.class.getClassLoader());
      } finally {
        handle.invoke(null, signal, before);
      }
    } catch (ReflectiveOperationException | LinkageError e) {
      // Then JRaft cannot take it either, or it does: less is seen of the process, no more.
      LOG.debug("SIG{} is not given back", SIGNAL, e);
    }
  }
}
