"""A real radiograph as DICOM is uploaded in the browser and analysed by the real worker."""

import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect
from pydicom import dcmread
from pydicom.data import get_testdata_file

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]

RESULT = re.compile(r"(Above|Below) the operating point")
ANALYSED_WITHIN = 90_000  # milliseconds, on a busy machine


def test_a_dicom_radiograph_is_uploaded_analysed_and_downloaded_without_its_header(alice: Page) -> None:
    path = Path(str(get_testdata_file("RG1_UNCR.dcm")))
    sent = dcmread(path, stop_before_pixels=True)
    alice.goto("/upload/")
    film: FilePayload = {
        "name": "no-extension",
        "mimeType": "application/octet-stream",
        "buffer": path.read_bytes(),
    }
    alice.locator("input[name=file]").set_input_files([film])
    alice.get_by_role("button", name="Upload 1 film").click()
    uploaded = alice.locator(".pw-upload").filter(has_text="no-extension")
    expect(uploaded).to_contain_text(re.compile(r"Uploaded as PW-\d{6}"))
    expect(uploaded).to_contain_text(RESULT, timeout=ANALYSED_WITHIN)
    uploaded.get_by_role("link").first.click()
    alice.wait_for_url("**/studies/*/")  # with everything in its place: a click on what still moves misses
    with alice.expect_download() as download:
        alice.locator("a[href$='/files/original']").click()
    assert download.value.suggested_filename.endswith("-original.dcm")
    kept = dcmread(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert kept.PatientIdentityRemoved == "YES"
    assert (kept.Rows, kept.Columns, kept.PatientSex) == (1955, 1841, "F")
    assert kept.PatientID != sent.PatientID
    assert kept.StudyInstanceUID != sent.StudyInstanceUID
