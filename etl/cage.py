"""What the throw-away process of a delivery sees: its files laid out, its environment, GDAL's drivers shut off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import etl
import twin
from twin import caged

if TYPE_CHECKING:
    from etl.fetch import FileSet

INSIDE = "/job"
PACKAGES = (etl, twin)
"""What of our own the child may see."""
VECTOR_SKIP = (
    "OGR_VRT,CSV,WFS,OAPIF,OGCAPI,HTTP,EEDA,LIBKML,GDALG,PCIDSK,PDS4,VICAR,PDF,MBTiles,LVBAG,S57,DGN,GPX,KML,GeoJSONSeq,ESRIJSON,"
    "TopoJSON,OGR_GMT,SQLite,WAsP,GeoRSS,VFK,PGDUMP,OSM,GPSBabel,OGR_PDS,EDIGEO,Idrisi,ODS,XLSX,Elasticsearch,"
    "Carto,AmigoCloud,SXF,Selafin,JML,PLSCENES,CSW,VDV,MVT,NGW,MapML,GTFS,PMTiles,JSONFG,MiraMonVector,ADBC,AVCBin,AVCE00,"
    "AIVector,MEM"
)
"""Every driver of pyogrio's GDAL but the few the vector reader opens; the reader proves this list when it starts."""
RASTER_SKIP = (
    "VRT,DERIVED,GTI,SNAP_TIFF,COG,NITF,RPFTOC,ECRGTOC,HFA,SAR_CEOS,CEOS,JAXAPALSAR,GFF,ELAS,ESRIC,AIG,AAIGrid,"
    "GRASSASCIIGrid,ISG,SDTS,DTED,PNG,JPEG,MEM,JDEM,GIF,BIGGIF,ESAT,BSB,XPM,BMP,DIMAP,AirSAR,RS2,SAFE,PCIDSK,"
    "PCRaster,ILWIS,SGI,SRTMHGT,Leveller,Terragen,netCDF,ISIS3,ISIS2,PDS,PDS4,VICAR,TIL,ERS,JP2OpenJPEG,L1B,FIT,GRIB,"
    "RMF,WCS,WMS,MSGN,RST,GSAG,GSBG,GS7BG,COSAR,TSX,COASP,R,MAP,KMLSUPEROVERLAY,WEBP,PDF,Rasterlite,MBTiles,PLMOSAIC,"
    "CALS,WMTS,SENTINEL2,MRF,PNM,DOQ1,DOQ2,PAux,MFF,MFF2,GSC,FAST,BT,LAN,CPG,NDF,EIR,DIPEx,LCP,GTX,LOSLAS,NTv2,"
    "CTable2,ACE2,SNODAS,KRO,ROI_PAC,RRASTER,BYN,NOAA_B,NSIDCbin,RIK,USGSDEM,GXF,BAG,S102,S104,S111,HDF5,HDF5Image,"
    "NWT_GRD,NWT_GRC,ADRG,SRP,BLX,SAGA,XYZ,HF2,OZI,CTG,ZMap,NGSGEOID,IRIS,PRF,EEDAI,EEDA,DAAS,SIGDEM,TGA,STACTA,"
    "STACIT,GNMFile,GNMDatabase,ESRI Shapefile,Memory,GeoJSON,GeoJSONSeq,ESRIJSON,TopoJSON,GPKG,SQLite,OSM,MVT,"
    "AVCBin,AVCE00,GenBin,ENVI,EHdr,ISCE,Zarr,HTTP"
)
"""Every driver of rasterio's GDAL but GTiff; the raster reader proves this list when it starts."""
SKIPPED = {"raster": RASTER_SKIP, "pixels": RASTER_SKIP}
"""By reader; all others have the vector reader's."""

_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": "256",
    "GDAL_HTTP_TIMEOUT": "1",
    "CPL_LOG_ERRORS": "ON",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "PROJ_NETWORK": "OFF",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_SAVE_RESOLVED_TO": "NULL",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "64",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A delivery laid out for one child: `main` as the child sees it, `command` what its command starts with."""

    main: str
    command: tuple[str, ...]


def environment(reader: str = "vector") -> dict[str, str]:
    """Give the whole environment of the child that runs `reader`; nothing is inherited."""
    return {**caged.environment(PACKAGES), **_ENVIRONMENT, "GDAL_SKIP": SKIPPED.get(reader, VECTOR_SKIP)}


def lay_out(files: FileSet, folder: Path) -> Desk:
    """Show the child exactly the files of the set, suffixes in lower case, below `folder` or in bubblewrap's /job."""
    whole = files.root.name.lower() if files.root.is_dir() else ""
    shown = {f"{whole}/{_shown(files, f.name)}".lstrip("/"): f.path.resolve() for f in files.files}
    main = whole or _shown(files, files.root.name)
    if bubblewrap() is not None:
        binds = [word for name, path in shown.items() for word in ("--ro-bind", str(path), f"{INSIDE}/{name}")]
        if files.root.is_dir():
            binds = ["--ro-bind", str(files.root.resolve()), f"{INSIDE}/{whole}"]
        return Desk(main=f"{INSIDE}/{main}", command=(*_bubblewrapped(), *binds, "--"))
    for name, path in shown.items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    return Desk(main=str(folder / main), command=())


def _shown(files: FileSet, name: str) -> str:
    """Give a sibling the main file's stem and its own suffix in lower case: GDAL knows no `.Shp`."""
    if files.root.is_dir():
        return name
    stem = files.root.stem
    return stem + name[len(stem) :].lower()


def bubblewrap() -> str | None:
    """Give bubblewrap's path where it is installed and the kernel lets it work, else None."""
    return caged.bubblewrap()


def _bubblewrapped() -> tuple[str, ...]:
    found = bubblewrap()
    return () if found is None else caged.words(found, PACKAGES)
