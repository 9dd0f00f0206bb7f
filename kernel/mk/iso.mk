# SPDX-License-Identifier: BSD-2-Clause
#
# The boot medium: one ISO for BIOS and UEFI.  GRUB's two core images carry
# boot/grub.cfg inside and only the modules that it needs, and are made once;
# when the kernel or the initramfs changes, only xorriso runs (a tenth of a
# second, where grub-mkrescue with all its modules takes two).

grubcfg	:= $(TREE)/boot/grub.cfg
bios	:= $(GRUB)/bios.img
efi	:= $(wildcard /usr/lib/grub/x86_64-efi/moddep.lst)
efiimg	:= $(if $(efi),$(GRUB)/efi.img)
mtools	:= SOURCE_DATE_EPOCH=1 MTOOLS_SKIP_CHECK=1
mods	:= iso9660 multiboot2

# CMDLINE is GRUB's part of the boot options; it is kept in a file so that a
# change of it makes the images again.
$(GRUB)/load.cfg: FORCE $(grubcfg)
	@mkdir -p $(GRUB)
	@sed 's|@CMDLINE@|$(CMDLINE)|' $(grubcfg) > $(OUT)/load.cfg
	@cmp -s $(OUT)/load.cfg $@ || mv $(OUT)/load.cfg $@

$(bios): $(GRUB)/load.cfg
	@grub-mkimage -O i386-pc-eltorito -p /boot/grub -c $< \
	    -o $(OUT)/bios.img biosdisk $(mods)
	@mv $(OUT)/bios.img $@

# UEFI starts a FAT image, not the ISO, so GRUB has to look for the latter.
$(GRUB)/efi.img: $(GRUB)/load.cfg
	@{ echo 'search.file /boot/nymph root'; cat $<; } > $(OUT)/efi.cfg
	@grub-mkimage -O x86_64-efi -p /boot/grub -c $(OUT)/efi.cfg \
	    -o $(OUT)/bootx64.efi search_fs_file $(mods)
	@rm -f $(OUT)/efi.img
	@$(mtools) mformat -C -i $(OUT)/efi.img -T 1440 -h 2 -s 18 -N 0 ::
	@touch -d @0 $(OUT)/bootx64.efi
	@$(mtools) mmd -i $(OUT)/efi.img ::/EFI ::/EFI/BOOT
	@$(mtools) mcopy -m -i $(OUT)/efi.img $(OUT)/bootx64.efi \
	    ::/EFI/BOOT/BOOTX64.EFI
	@mv $(OUT)/efi.img $@

# Another initramfs may be older than the ISO.
$(OUT)/initrd.name: FORCE
	@echo '$(INITRD)' | cmp -s - $@ || echo '$(INITRD)' > $@

# -boot-info-table writes into the image file, hence the copy in root/.
$(OUT)/nymph.iso: $(OUT)/nymph $(bios) $(efiimg) $(INITRD) \
    $(OUT)/initrd.name
	@echo "  ISO     $@"
	@rm -rf $(OUT)/root && mkdir -p $(OUT)/root/boot/grub
	@cp $(bios) $(efiimg) $(OUT)/root/boot/grub/
	@cp $(OUT)/nymph $(OUT)/root/boot/nymph
	@$(if $(INITRD),cp -L $(INITRD) $(OUT)/root/boot/initrd,:)
	@find $(OUT)/root -exec touch -h -d @1 {} +
	@SOURCE_DATE_EPOCH=1 xorriso -as mkisofs -quiet -o $@ -V NYMPH \
	    --modification-date=2019050600000000 \
	    -b boot/grub/bios.img -no-emul-boot -boot-load-size 4 \
	    -boot-info-table --grub2-boot-info \
	    $(if $(efiimg),-eltorito-alt-boot -e boot/grub/efi.img \
	    -no-emul-boot) $(OUT)/root > $(OUT)/xorriso.log 2>&1 || \
	    { cat $(OUT)/xorriso.log; exit 1; }
