package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProcFsTest {
  private static final long SELF = ProcessHandle.current().pid();

  @Test
  void shouldReadTicksBehindAnyCommandName() {
    String stat = "42 (a) b () R 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20 0 7 0 99";
    assertEquals(154, ProcFs.cpuTicks(stat));
  }

  @Test
  void shouldReadStatus() {
    List<String> lines = List.of("Name:\tjava", "VmHWM:\t  204800 kB", "Threads:\t17");
    assertEquals(204_800, ProcFs.status(lines, "VmHWM"));
    assertEquals(17, ProcFs.status(lines, "Threads"));
    assertEquals(0, ProcFs.status(lines, "VmRSS"));
  }

  @Test
  void shouldCountNeitherIdleNorGuestTimeAsBusy() {
    assertEquals(10 + 20 + 30 + 6 + 7 + 8, ProcFs.busyTicks("cpu  10 20 30 4000 500 6 7 8 9 9"));
  }

  @Test
  void shouldReadTheLimitOfOpenFiles() {
    String head = "Limit                     Soft Limit           Hard Limit           Units";
    String line = "Max open files            1024                 20000                files";
    assertEquals(1024, ProcFs.openFilesLimit(List.of(head, line)));
    assertEquals(Long.MAX_VALUE, ProcFs.openFilesLimit(List.of(line.replace("1024", "unlimited"))));
  }

  @Test
  void shouldFindListeningSockets() {
    List<String> table =
        List.of(
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  ...",
            "   0: 0100007F:1036 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 111 1",
            "   1: 0100007F:1036 0100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 222 1",
            "   2: 0100007F:1037 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 333 1");
    assertEquals(Set.of("socket:[111]"), ProcFs.listening(table, 4150));
  }

  @Test
  void shouldKnowThisProcess() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = server.getLocalPort();
      assertEquals(OptionalLong.of(SELF), ProcFs.listener(port, List.of(1L, SELF)));
      assertEquals(OptionalLong.empty(), ProcFs.listener(port, List.of()));
    }
    assertTrue(ProcFs.cpuSeconds(SELF) > 0);
    assertTrue(ProcFs.status(SELF, "VmHWM") >= ProcFs.status(SELF, "VmRSS") / 2);
    assertTrue(ProcFs.machineBusySeconds() > 0);
    assertTrue(ProcFs.openFilesLimit() > 10);
  }
}
