/** How a record of journal or ledger looks: its head and its checksum. */
package io.holdfast.storage.record;
