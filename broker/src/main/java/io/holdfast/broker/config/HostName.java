package io.holdfast.broker.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This machine's name, as {@code hostname} prints it. */
public final class HostName {
  private static final Path KERNEL_HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private HostName() {}

  /**
   * The kernel's name for this machine. The JDK's way asks DNS, which may stall or answer something
   * else, so it is only the second choice.
   *
   * @return the name, {@code localhost} if there is none
   */
  public static String ofThisMachine() {
    try {
      String name = Files.readString(KERNEL_HOST_NAME).strip();
      if (!name.isEmpty()) {
        return name;
      }
    } catch (IOException | SecurityException notLinux) {
      // Not Linux, or /proc is hidden: ask the JDK below.
    }
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException unresolvable) {
      return "localhost";
    }
  }
}
