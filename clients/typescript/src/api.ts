// Generated from docs/api/gateway.json by scripts/generate.mjs: change that document, not this file.

export interface paths {
    "/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the gateway is up */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, unknown>;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blob-upload-relay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Encodes and uploads a blob that is registered; answers with its certificate */
        post: {
            parameters: {
                query: {
                    blob_id: string;
                    deletable_blob_object?: string | unknown | unknown;
                    tx_id?: string;
                    nonce?: string;
                    encoding_type?: "RS2";
                    upload?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/octet-stream": string;
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RelayResult"];
                    };
                };
                400: components["responses"]["Refused"];
                401: components["responses"]["Refused"];
                402: components["responses"]["Refused"];
                408: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
                504: components["responses"]["Refused"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stores a blob at the publisher's cost */
        put: {
            parameters: {
                query?: {
                    epochs?: number;
                    permanent?: boolean;
                    deletable?: boolean;
                    force?: boolean;
                    reuse_resources?: boolean;
                    send_object_to?: string;
                    encoding_type?: "RS2";
                    upload?: string;
                };
                header?: {
                    Authorization?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/octet-stream": string;
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StoreResult"];
                    };
                };
                400: components["responses"]["Refused"];
                401: components["responses"]["Refused"];
                408: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                415: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
                504: components["responses"]["Refused"];
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/by-object-id/{object_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The blob of an object, with the object's attributes as headers */
        get: {
            parameters: {
                query?: {
                    strict_consistency_check?: boolean;
                    skip_consistency_check?: boolean;
                };
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    object_id: string | unknown | unknown;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/by-quilt-id/{quilt_id}/{identifier}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of a quilt by its name */
        get: {
            parameters: {
                query?: never;
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    quilt_id: string;
                    identifier: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/by-quilt-patch-id/{patch_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of a quilt by its id */
        get: {
            parameters: {
                query?: never;
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    patch_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/by-reference/{reference}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The blob that a mutable reference points at now */
        get: {
            parameters: {
                query?: {
                    strict_consistency_check?: boolean;
                    skip_consistency_check?: boolean;
                };
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    reference: string | unknown | unknown;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/{blob_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A blob */
        get: {
            parameters: {
                query?: {
                    strict_consistency_check?: boolean;
                    skip_consistency_check?: boolean;
                };
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    blob_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/{blob_id}/byte-range": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Part of a blob */
        get: {
            parameters: {
                query: {
                    start: number;
                    length: number;
                };
                header?: never;
                path: {
                    blob_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/{blob_id}/confirmations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every node's signed word that it holds its part, asked now */
        get: {
            parameters: {
                query?: {
                    object_id?: string | unknown | unknown;
                };
                header?: never;
                path: {
                    blob_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, unknown>;
                    };
                };
                400: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The gateway and its network */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, unknown>;
                    };
                };
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What every node says about itself */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, unknown>[];
                    };
                };
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/quilts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Stores files as one blob; each part of the form is a file, _metadata their tags */
        put: {
            parameters: {
                query?: {
                    epochs?: number;
                    permanent?: boolean;
                    deletable?: boolean;
                    force?: boolean;
                    reuse_resources?: boolean;
                    send_object_to?: string;
                    encoding_type?: "RS2";
                    upload?: string;
                };
                header?: {
                    Authorization?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "multipart/form-data": {
                        [key: string]: string;
                    };
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["QuiltResult"];
                    };
                };
                400: components["responses"]["Refused"];
                401: components["responses"]["Refused"];
                408: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                415: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
                504: components["responses"]["Refused"];
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/quilts/{quilt_id}/patches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of a quilt */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    quilt_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Patch"][];
                    };
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rpc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A question to the chain, of those that the page needs; also a list of them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        id?: unknown;
                        jsonrpc?: unknown;
                        method: string;
                        params?: unknown;
                    };
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, unknown> | unknown[];
                    };
                };
                400: components["responses"]["Refused"];
                408: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                415: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/{reference}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** To the website's first page */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    reference: string | unknown | unknown;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                308: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/{reference}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The first page of a website */
        get: {
            parameters: {
                query?: never;
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    reference: string | unknown | unknown;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Done */
                308: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                /** @description Done */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/{reference}/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of a website */
        get: {
            parameters: {
                query?: never;
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    reference: string | unknown | unknown;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Done */
                308: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                /** @description Done */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tip-config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the relay wants to be paid */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TipConfig"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An upload as it happens, as server-sent events */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                400: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1alpha/blobs/concat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Blobs one after the other; ids are separated by commas */
        get: {
            parameters: {
                query: {
                    ids: string;
                    strict_consistency_check?: boolean;
                    skip_consistency_check?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        /** Blobs one after the other */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ids: string[];
                        skip_consistency_check?: boolean;
                        strict_consistency_check?: boolean;
                    };
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                408: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                415: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1alpha/blobs/{blob_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A blob, as older clients ask */
        get: {
            parameters: {
                query?: {
                    strict_consistency_check?: boolean;
                    skip_consistency_check?: boolean;
                };
                header?: {
                    Range?: string;
                    "If-None-Match"?: string;
                };
                path: {
                    blob_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
                /** @description Done */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["Refused"];
                404: components["responses"]["Refused"];
                412: components["responses"]["Refused"];
                413: components["responses"]["Refused"];
                416: components["responses"]["Refused"];
                429: components["responses"]["Refused"];
                451: components["responses"]["Refused"];
                500: components["responses"]["Refused"];
                503: components["responses"]["Refused"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AlreadyCertified: {
            blobId: string;
            endEpoch: number;
            event?: {
                eventSeq: string;
                txDigest: string;
            };
            object?: string;
        };
        BlobObject: {
            blobId: string;
            certifiedEpoch: number | null;
            deletable: boolean;
            /** @enum {string} */
            encodingType: "RS2";
            id: string;
            registeredEpoch: number;
            size: number;
            storage: {
                endEpoch: number;
                id: string;
                startEpoch: number;
                storageSize: number;
            };
        };
        Error: {
            error: {
                code: number;
                details: {
                    "@type": string;
                    domain?: string;
                    metadata?: Record<string, unknown>;
                    /** @enum {string} */
                    reason?: "BLOB_ID_MISMATCH" | "BLOB_NOT_FOUND" | "BLOB_TOO_LARGE" | "BLOB_UNAVAILABLE" | "BODY_TOO_LARGE" | "BODY_TOO_SLOW" | "CHAIN_REFUSED" | "CONDITION_FAILED" | "EXPIRED_SIGNATURE" | "FORBIDDEN_BLOB" | "FOREIGN_ORIGIN" | "INCONSISTENT_TOKEN" | "INSUFFICIENT_CONFIRMATIONS" | "INSUFFICIENT_FUNDS" | "INTERNAL_ERROR" | "INVALID_BLOB_PERSISTENCE" | "INVALID_BYTE_RANGE" | "INVALID_CONSISTENCY_CHECK" | "INVALID_EPOCHS" | "INVALID_EXPIRATION" | "INVALID_ID_FORMAT" | "INVALID_SEND_OBJECT_TO" | "INVALID_SIGNATURE" | "INVALID_SIZE" | "INVALID_TIMESTAMP" | "INVALID_TIP" | "INVALID_TOKEN" | "MALFORMED_REQUEST" | "METHOD_NOT_ALLOWED" | "MISSING_TOKEN" | "NOT_A_WEBSITE" | "NOT_REGISTERED" | "OBJECT_ID_RESOLUTION_FAILED" | "OVERLOADED" | "QUILT_PATCH_NOT_FOUND" | "RATE_LIMITED" | "SITE_FILE_NOT_FOUND" | "TIP_NOT_FOR_THIS" | "TIP_REQUIRED" | "TOKEN_ALREADY_USED" | "UNKNOWN_ROUTE" | "UNSUPPORTED_MEDIA_TYPE";
                }[];
                message: string;
                status: string;
            };
        };
        NewlyCreated: {
            blobObject: components["schemas"]["BlobObject"];
            cost: number;
            resourceOperation: {
                registerFromScratch?: {
                    encodedLength: number;
                    epochsAhead: number;
                };
                reuseRegistration?: {
                    encodedLength: number;
                };
            };
        };
        Patch: {
            identifier: string;
            patch_id: string;
            tags: {
                [key: string]: string;
            };
        };
        QuiltResult: {
            blobStoreResult: components["schemas"]["StoreResult"];
            storedQuiltBlobs: {
                identifier: string;
                quiltPatchId: string;
                range?: number[];
            }[];
        };
        RelayResult: {
            blob_id: number[];
            confirmation_certificate: {
                serialized_message: number[];
                signature: string;
                signers: number[];
            };
        };
        StoreResult: {
            alreadyCertified?: components["schemas"]["AlreadyCertified"];
            newlyCreated?: components["schemas"]["NewlyCreated"];
        };
        TipConfig: "no_tip" | {
            send_tip: {
                address: string;
                kind: Record<string, unknown>;
            };
        };
    };
    responses: {
        /** @description Refused; the reason is in details[0] */
        Refused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
