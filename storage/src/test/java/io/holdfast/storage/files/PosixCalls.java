package io.holdfast.storage.files;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import net.openhft.posix.PosixAPI;
import net.openhft.posix.internal.PosixAPIHolder;

/** Stands between the storage and the C library: counts the files opened, and refuses them. */
public final class PosixCalls implements AutoCloseable {
  private final PosixAPI real = PosixAPI.posix();
  final AtomicInteger opened = new AtomicInteger();

  /** As when the process has no descriptor left. */
  public volatile boolean refuseOpen;

  @SuppressWarnings("StaticAssignmentInConstructor") // The only way in; close() puts it back.
  public PosixCalls() {
    PosixAPIHolder.POSIX_API =
        (PosixAPI)
            Proxy.newProxyInstance(
                PosixCalls.class.getClassLoader(),
                new Class<?>[] {PosixAPI.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("open")) {
                    opened.incrementAndGet();
                    if (refuseOpen) {
                      return -1;
                    }
                  }
                  try {
                    return method.invoke(real, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
  }

  @Override
  public void close() {
    PosixAPIHolder.POSIX_API = real;
  }
}
