/** How a record of journal, ledger or Raft log looks: its head and its checksum. */
package io.holdfast.storage.record;
